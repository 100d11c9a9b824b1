// tokenizer.json of Hugging Face's tokenizers library, as far as it describes SentencePiece's BPE:
// model type BPE with byte_fallback, spaces marked by kSpaceMark, no splitting before the merges.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/vocabulary.h"

namespace nibble {

// A token that stands beside the model's own: "added_tokens" in tokenizer.json,
// "added_tokens_decoder" in tokenizer_config.json, added_tokens.json.
struct AddedToken {
  uint64_t id;
  std::string text;
  bool is_special;  // a control token, else a user-defined one
};

// "added_tokens" of tokenizer.json. Error kInvalidFile.
std::vector<AddedToken> added_tokens_of_json(const JsonObject& tokenizer);

// Tokens, scores, types, unk and add_space_prefix. Errors: kInvalidFile; kUnsupported, saying what
// was found, for every other kind of tokenizer.
Vocabulary vocabulary_from_tokenizer_json(const JsonObject& tokenizer);

}  // namespace nibble
