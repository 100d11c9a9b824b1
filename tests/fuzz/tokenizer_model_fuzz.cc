// tokenizer.model: whatever it says, it is refused with nibble::Error or gives a tokenizer that
// encodes and decodes.
#include <cstdint>
#include <string>

#include "nibble/error.h"
#include "text/hf_tokenizer.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  nibble::HfTokenizerFiles files;
  files.folder = "fuzz";
  files.tokenizer_model = std::string(reinterpret_cast<const char*>(data), size);
  constexpr uint64_t kVocabularySize = 300;
  try {
    const nibble::Tokenizer tokenizer(nibble::vocabulary_from_hf(files, kVocabularySize));
    const auto ids = tokenizer.encode(*files.tokenizer_model, {.parse_special = true});
    tokenizer.decode(ids, {.special = true});
  } catch (const nibble::Error&) {
  }
  return 0;
}
