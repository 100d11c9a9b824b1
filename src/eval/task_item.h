// What a task asks: items of two kinds, as the readers of files (task_records.h, stock_files.h)
// make them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "base/json.h"

namespace nibble {

// A context and its possible continuations, of which the model's favourite is compared with the
// right ones.
struct ChoiceItem {
  std::string id;       // of the record, else its number in the file, from 0
  std::string subject;  // examples for an item come from its own subject
  std::string opening;  // stands before the examples
  std::string context;
  std::string delimiter = " ";  // between context and choice, and between choice and ending
  std::vector<std::string> choices;
  // Not empty: the choices are contexts, and this is what follows each and is scored ("partial
  // evaluation", Trinh and Le 2018, arXiv:1806.02847).
  std::string ending;
  std::vector<size_t> right;  // of choices, at least one

  bool operator==(const ChoiceItem&) const = default;
};

// How the answer to a prompt is judged.
struct AnswerCheck {
  std::vector<std::string> answers;   // one of these, to the letter
  std::optional<std::regex> pattern;  // somewhere in the answer
  bool wants_json = false;            // the answer begins with a JSON value,
  std::optional<Json> json;           // equal to this one
};

// A prompt that is continued greedily.
struct PromptItem {
  std::string id;
  std::string group;  // scores are given for each group, too; may be empty
  std::string prompt;
  AnswerCheck check;
  std::vector<std::string> stops;  // the answer ends before the first of these
  int64_t max_tokens = 0;
};

// Of one task: only one of the two is not empty.
struct TaskItems {
  std::vector<ChoiceItem> choices;
  std::vector<PromptItem> prompts;

  size_t size() const { return choices.size() + prompts.size(); }
};

}  // namespace nibble
