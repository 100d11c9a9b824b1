// A vocabulary small enough to merge by hand.
#pragma once

#include <string>
#include <string_view>

#include "text/vocabulary.h"

namespace nibble {

inline void add_token(Vocabulary& vocabulary, std::string text, TokenType type, float score = 0) {
  vocabulary.tokens.push_back(std::move(text));
  vocabulary.types.push_back(type);
  vocabulary.scores.push_back(score);
}

// <unk> 0, <s> 1, </s> 2; then, if wanted, the 256 byte tokens from 3; then `normal` in merge
// order: the earlier, the higher the score.
inline Vocabulary tiny_vocabulary(std::initializer_list<std::string_view> normal,
                                  bool has_bytes = true) {
  Vocabulary vocabulary;
  add_token(vocabulary, "<unk>", TokenType::kUnknown);
  add_token(vocabulary, "<s>", TokenType::kControl);
  add_token(vocabulary, "</s>", TokenType::kControl);
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (int byte = 0; has_bytes && byte < 256; ++byte) {
    add_token(vocabulary, std::string("<0x") + kHex[byte / 16] + kHex[byte % 16] + ">",
              TokenType::kByte);
  }
  float score = -1;
  for (const std::string_view token : normal) {
    add_token(vocabulary, std::string(token), TokenType::kNormal, score--);
  }
  vocabulary.unk = 0;
  vocabulary.bos = 1;
  vocabulary.eos = 2;
  return vocabulary;
}

}  // namespace nibble
