// Texts and conversations as JSONL, one a line:
//
//   {"text": "..."}
//   {"messages": [{"role": "user", "content": "..."}, ...], "tools": [...]}     tools: optional
//   {"prompt": "...", "completion": "..."}     a user's message and the answer; or lists of
//   messages
//
// Other keys are passed over.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/chat_template.h"

namespace nibble {

struct Conversation {
  std::string place;  // "FILE, line N"
  std::string text;   // unless there are messages
  ChatTemplate::Json messages = ChatTemplate::Json::array();
  ChatTemplate::Json tools = nullptr;

  bool is_chat() const { return !messages.empty(); }
};

// Errors: kInvalidFile, naming the line, for one that is none of these; for a file without any.
std::vector<Conversation> parse_conversations(std::string_view text, std::string_view file);

// What the template makes of a chat's messages. The date, should it ask for one, is always the
// same, so that the same lines give the same text. Error kInvalidFile, naming the line, for
// messages that it refuses.
std::string render(const Conversation& conversation, const ChatTemplate& chat);

}  // namespace nibble
