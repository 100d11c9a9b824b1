#include "eval/chat_prompt.h"

#include "eval/few_shot.h"
#include "nibble/error.h"

namespace nibble {
namespace {

using Messages = ChatTemplate::Json;

Messages message(const char* role, const std::string& content) {
  return {{"role", role}, {"content", content}};
}

Messages turns(ChatPrompts::Examples examples, const std::string& question) {
  Messages messages = Messages::array();
  for (const ChoiceItem* example : examples) {
    messages.push_back(message("user", shown_question(*example)));
    messages.push_back(message("assistant", shown_answer(*example)));
  }
  messages.push_back(message("user", question));
  return messages;
}

Messages one_turn(ChatPrompts::Examples examples, const std::string& question) {
  std::string text;
  for (const ChoiceItem* example : examples) text += shown_example(*example);
  return Messages::array({message("user", text + question)});
}

}  // namespace

std::string ChatPrompts::prompt(const std::string& opening, Examples examples,
                                const std::string& question) const {
  ChatTemplate::Input input;
  const Messages messages = one_message_ ? one_turn(examples, question) : turns(examples, question);
  if (!opening.empty()) {
    input.messages = messages;
    input.messages.insert(input.messages.begin(), message("system", opening));
    try {
      return chat_.render(input);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kUsage) throw;
    }
  }
  input.messages = messages;
  return chat_.render(input);
}

ChoiceItem ChatPrompts::item(const ChoiceItem& item, Examples examples) const {
  ChoiceItem result = item;
  result.opening.clear();
  result.delimiter.clear();
  if (item.ending.empty()) {
    result.context = prompt(item.opening, examples, item.context);
  } else {
    for (std::string& choice : result.choices) choice = prompt(item.opening, examples, choice);
  }
  return result;
}

}  // namespace nibble
