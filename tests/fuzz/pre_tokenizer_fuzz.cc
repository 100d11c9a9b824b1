// Pre-tokenizers: "PATTERN\0TEXT". Whatever the pattern, it is refused or cuts the text into pieces
// that are all of it.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "nibble/error.h"
#include "text/pre_tokenizer.h"
#include "text/unicode.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find('\0'), input.size());
  const std::string_view pattern = input.substr(0, end);
  const std::string_view text = input.substr(std::min(end + 1, input.size()));
  if (!nibble::is_utf8(pattern) || !nibble::is_utf8(text)) return 0;
  try {
    const nibble::PreTokenizer pre_tokenizer(
        {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}}, "fuzz");
    nibble::PreTokenizer::Scratch scratch;
    std::string joined;
    for (const std::string_view piece : pre_tokenizer.split(text, true, scratch)) joined += piece;
    if (joined != text) std::abort();
  } catch (const nibble::Error&) {
  }
  return 0;
}
