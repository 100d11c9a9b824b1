// What a Tokenizer consists of, put together from a vocabulary.
#pragma once

#include <string>
#include <vector>

#include "text/encoder.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/token_matcher.h"
#include "text/vocabulary.h"

namespace nibble {

struct TokenizerParts {
  TokenizerParts(Vocabulary tokens, const std::string& origin);

  Vocabulary vocabulary;
  Json definition;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  bool is_byte_level;
  Encoder encoder;
  TokenMatcher raw_tokens, normalized_tokens;  // matched as a whole, before and after normalizing
  std::vector<uint32_t> prefix, suffix;        // what EncodeOptions::add_special adds
  bool needs_utf8;

  // The text of a normal token. `is_start`: a prefix space goes.
  void append_normal(uint32_t id, bool is_start, std::string& text) const;

 private:
  void add_matched_tokens(const std::string& origin);
  void add_affixes(const std::string& origin);
};

}  // namespace nibble
