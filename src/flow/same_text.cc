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

std::vector<uint32_t> common_tokens(const Model::Parts& model, const Model::Parts& reference,
                                    std::string_view text) {
  check_vocabulary_size(reference.path, reference.weights->vocab_size(),
                        model.weights->vocab_size());
  auto tokens = model.tokenizer->encode(text);
  check_same_tokens(tokens, reference.tokenizer->encode(text), reference.path);
  return tokens;
}

void check_windows(int64_t context, int64_t most) {
  constexpr int64_t kShortest = 4;
  if (context >= kShortest && most >= 0) return;
  fail(ErrorCode::kUsage,
       "a context of {} and {} windows make no sense; the context is at least {}", context, most,
       kShortest);
}

Windows windows_for(const Model::Parts& model, std::span<const uint32_t> tokens, int64_t context,
                    int64_t most, int64_t stride, std::string_view name) {
  Windows windows = stride > 0 ? windows_with_stride(tokens, context, stride, most)
                               : windows_side_by_side(tokens, context, most);
  if (windows.count == 0) {
    fail(ErrorCode::kUsage,
         "{} has {} tokens, less than one window of {}; use a longer text or a shorter --context",
         name, tokens.size(), windows.length);
  }
  const Vocabulary& vocabulary = model.tokenizer->vocabulary();
  if (stride == 0 && vocabulary.add_bos) windows.first_token = vocabulary.bos;
  return windows;
}

}  // namespace nibble
