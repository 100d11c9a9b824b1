// Vocabularies of tokenizer.json that keep their own definition: byte-level BPE, and whatever else
// is not plainly SentencePiece's BPE.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/json.h"
#include "text/vocabulary.h"

namespace nibble {

// Tokens, types, merges or scores, unk, pre and the definition. Errors: kInvalidFile; kUnsupported,
// naming it, for a part that is not known.
Vocabulary vocabulary_with_definition(const JsonObject& tokenizer);

// The ids that "post_processor" puts around a text.
struct Affixes {
  std::vector<uint32_t> prefix, suffix;
};
Affixes affixes_of_json(const JsonObject& tokenizer);

}  // namespace nibble
