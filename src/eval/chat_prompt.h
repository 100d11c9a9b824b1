// Items of tasks as chats, as lm-evaluation-harness 0.4.13 makes them with --apply_chat_template:
// the opening is the system's message, each example a question of the user's and an answer of the
// assistant's, the item the last question, and the template says what an answer begins with.
// Nothing stands between that and the answer.
#pragma once

#include <span>
#include <string>

#include "eval/task_item.h"
#include "text/chat_template.h"

namespace nibble {

class ChatPrompts {
 public:
  // `one_message`: examples and item as a single message of the user's, written as without a
  // template (the harness's --fewshot_as_multiturn false). The template must outlive the object.
  ChatPrompts(const ChatTemplate& chat, bool one_message)
      : chat_(chat), one_message_(one_message) {}

  using Examples = std::span<const ChoiceItem* const>;

  // The prompt that asks `question`. Where the template refuses a system message, it is left out.
  std::string prompt(const std::string& opening, Examples examples,
                     const std::string& question) const;

  // The item with prompts for contexts: what follows them is scored.
  ChoiceItem item(const ChoiceItem& item, Examples examples) const;

 private:
  const ChatTemplate& chat_;
  bool one_message_;
};

}  // namespace nibble
