// tokenizer.json of Hugging Face's tokenizers library. What describes SentencePiece's BPE (model
// type BPE with byte_fallback, spaces marked by kSpaceMark, no splitting before the merges) becomes
// a vocabulary with scores, as tokenizer.model gives it; everything else keeps its definition.
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

// Tokens, types, scores or merges, unk, pre, add_space_prefix and definition. Errors: kInvalidFile;
// kUnsupported, naming it, for a part that is not known.
Vocabulary vocabulary_from_tokenizer_json(const JsonObject& tokenizer);

}  // namespace nibble
