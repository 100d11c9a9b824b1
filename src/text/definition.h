// What a tokenizer does beside its vocabulary, as JSON: parts of tokenizer.json as they stand there
// ("normalizer", "pre_tokenizer", "model" without its tokens), and
//
//   "prefix", "suffix": [id, ...]      what add_special puts around a text, where bos and eos alone
//                                      do not say it
//   "added_tokens": [{"id": 5, "normalized": true, "lstrip": true, ...}]
//                                      how tokens are matched that are not matched plainly
//
// GGUF keeps it under "nibble.tokenizer", so that a file alone does what its source did.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/metadata.h"
#include "text/vocabulary.h"

namespace nibble {

inline constexpr std::string_view kDefinitionKey = "nibble.tokenizer";

// From a parsed tokenizer.json; prefix and suffix are left to the caller.
Json definition_of_json(const JsonObject& tokenizer);

// Of a vocabulary that has none: what its model and, for byte-level ones, its pre-tokenizer's name
// stand for. Error kUnsupported for a name that is not known.
Json definition_of_names(const Vocabulary& vocabulary, const std::string& origin);

// Of a file of ours: tokenizer.ggml.pre is "default", but the definition cuts texts otherwise. Who
// goes by the name, as llama.cpp does, makes other tokens of a text.
bool has_unnamed_pre_tokenizer(const Metadata& metadata);

}  // namespace nibble
