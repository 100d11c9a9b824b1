// Scores of tokens from the ranked merges of a tokenizer.json.
//
// There a merge is a pair with a rank, in a Vocabulary it is a token with a score. Both choose the
// same merge at every step if the file lists every pair of tokens that together make a token, and
// ranks the pairs of one token side by side. The conversion from SentencePiece writes exactly that;
// anything else is refused.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "text/vocabulary.h"

namespace nibble {

// Reads "merges" of `model` and fills vocabulary.scores; tokens and types are there already.
// Errors: kInvalidFile, kUnsupported.
void set_scores_from_merges(const JsonObject& model, Vocabulary& vocabulary);

// Error kUnsupported: `found`, and what would be accepted.
[[noreturn]] void fail_not_sentencepiece(const std::string& file, std::string_view found);

}  // namespace nibble
