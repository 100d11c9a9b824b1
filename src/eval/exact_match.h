// Whether a generated answer is right.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/task_item.h"

namespace nibble {

// What exact_match of lm-evaluation-harness can leave out of account: the case of letters, and
// ASCII's punctuation and digits.
struct MatchOptions {
  bool ignore_case = false;
  bool ignore_punctuation = false;
  bool ignore_numbers = false;
};

// Every check that an item has must hold. A pattern is looked for in the first kMatchedBytes only:
// the standard library matches by recursion.
bool is_right_answer(const AnswerCheck& check, std::string_view answer,
                     const MatchOptions& options);
inline constexpr size_t kMatchedBytes = 1024;

// The answer without the first of the stops and what follows it, as the harness cuts: one stop
// after the other.
std::string_view before_stops(std::string_view text, std::span<const std::string> stops);

}  // namespace nibble
