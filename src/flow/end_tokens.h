// The tokens that end an answer.
#pragma once

#include <cstdint>
#include <vector>

#include "text/vocabulary.h"

namespace nibble {

// The end token, what ends a turn, and control tokens that are known to do either by their text:
// files name one token, models trained to chat end their turns with another.
std::vector<uint32_t> end_tokens_of(const Vocabulary& vocabulary);

}  // namespace nibble
