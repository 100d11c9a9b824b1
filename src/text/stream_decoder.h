// Token ids to text while they are being generated: what is handed out is always whole UTF-8.
#pragma once

#include <cstdint>
#include <string>

#include "text/tokenizer.h"

namespace nibble {

class StreamDecoder {
 public:
  // `tokenizer` must outlive the decoder. DecodeOptions::is_start false: the ids continue a text.
  explicit StreamDecoder(const Tokenizer& tokenizer, const DecodeOptions& options = {});

  // The text that `id` completes; empty while a character still lacks bytes. Bytes that can be no
  // part of UTF-8 become U+FFFD. Error kUsage for an id that is not in the vocabulary.
  std::string next(uint32_t id);

  // What was held back, as U+FFFD: call it after the last id.
  std::string finish();

 private:
  const Tokenizer* tokenizer_;
  bool special_;
  bool is_start_;
  std::string pending_;
};

}  // namespace nibble
