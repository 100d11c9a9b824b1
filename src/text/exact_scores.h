// Scores of unigram tokenizers to the last bit. A text that repeats itself can be cut in several
// ways with the same sum, and then rounding decides; so the sums must be those of Hugging Face's
// library.
//
// It reads the decimal numbers of a tokenizer.json by way of the integer that their digits make,
// divided by a power of ten: up to one unit in the last place beside the nearest double (serde_json
// without its feature float_roundtrip). The floats of a GGUF are what such a file wrote in the
// fewest digits that tell doubles apart; mostly its scores can be had from them again.
#pragma once

#include <string_view>
#include <vector>

#include "base/metadata.h"
#include "text/vocabulary.h"

namespace nibble {

inline constexpr std::string_view kExactScoresKey = "nibble.tokenizer.scores";

// The double that the library reads where a file writes `score`, a finite number.
double score_as_read(double score);

// Sets both kinds of scores from those that a tokenizer.json writes.
void set_scores(const std::vector<double>& written, Vocabulary& vocabulary);

// Of every token: the exact scores, and those that follow from floats for what has none.
std::vector<double> scores_of(const Vocabulary& vocabulary);

}  // namespace nibble
