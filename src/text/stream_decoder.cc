#include "text/stream_decoder.h"

#include <string_view>

#include "text/unicode.h"

namespace nibble {
namespace {

constexpr std::string_view kReplacement = "\uFFFD";

}  // namespace

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, const DecodeOptions& options)
    : tokenizer_(&tokenizer), special_(options.special), is_start_(options.is_start) {}

std::string StreamDecoder::next(uint32_t id) {
  tokenizer_->append_text(id, special_, is_start_, pending_);
  std::string text;
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const int length = utf8_sequence(rest);
    if (length == kIncompleteUtf8) break;
    text += length == kInvalidUtf8 ? kReplacement : rest.substr(0, length);
    rest.remove_prefix(length == kInvalidUtf8 ? 1 : length);
  }
  pending_ = std::string(rest);
  return text;
}

std::string StreamDecoder::finish() {
  if (pending_.empty()) return "";
  pending_.clear();
  return std::string(kReplacement);
}

}  // namespace nibble
