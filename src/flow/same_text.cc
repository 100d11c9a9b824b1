#include "flow/same_text.h"

#include <algorithm>

#include "base/error.h"

namespace nibble {

void check_vocabulary_size(const std::filesystem::path& reference, int64_t theirs, int64_t ours) {
  if (theirs == ours) return;
  fail(ErrorCode::kUsage,
       "{}: the reference is of a vocabulary of {} tokens, this model has {}; they cannot be "
       "compared",
       reference.string(), theirs, ours);
}

void check_same_tokens(std::span<const uint32_t> ours, std::span<const uint32_t> theirs,
                       const std::filesystem::path& reference) {
  const auto [our, their] = std::mismatch(ours.begin(), ours.end(), theirs.begin(), theirs.end());
  if (their == theirs.end()) return;
  const auto place = our - ours.begin();
  if (our == ours.end()) {
    fail(ErrorCode::kUsage,
         "{}: the reference goes on after this text's {} tokens; give the text "
         "that it was made of, or none",
         reference.string(), place);
  }
  fail(ErrorCode::kUsage,
       "{}: token {} of the text is {} for the reference, {} for this model: they are of different "
       "texts or tokenizers",
       reference.string(), place, *their, *our);
}

}  // namespace nibble
