#include "eval/conversations.h"

#include <chrono>

#include "base/error.h"
#include "base/json.h"
#include "eval/jsonl.h"

namespace nibble {
namespace {

using Messages = ChatTemplate::Json;

// 26 July 2024, which Llama 3.1's template has where it is told no date.
constexpr std::chrono::sys_seconds kDate = std::chrono::sys_days(
    std::chrono::year_month_day(std::chrono::year(2024), std::chrono::July, std::chrono::day(26)));

[[noreturn]] void refuse(const std::string& place, const std::string& why) {
  fail(ErrorCode::kInvalidFile, "{}: {}", place, why);
}

void check_messages(const std::string& place, const char* key, const Messages& messages) {
  if (!messages.is_array() || messages.empty())
    refuse(place, fmt::format("\"{}\" is no list of messages", key));
  for (size_t i = 0; i < messages.size(); ++i) {
    const auto& message = messages[i];
    if (!message.is_object() || !message.contains("role") || !message["role"].is_string()) {
      refuse(place, fmt::format("message {} of \"{}\" has no \"role\", or one that is no string",
                                i + 1, key));
    }
    const auto content = message.find("content");
    const bool calls_tools = message.contains("tool_calls");
    if (content == message.end() ? !calls_tools
                                 : !(content->is_string() || content->is_array() ||
                                     (content->is_null() && calls_tools))) {
      refuse(place,
             fmt::format("message {} of \"{}\" has no \"content\", or one that is neither a string "
                         "nor a list of parts",
                         i + 1, key));
    }
  }
}

// A string as a message of that role, or messages as they are.
Messages messages_of(const std::string& place, const char* key, const char* role,
                     const Messages& value) {
  if (value.is_string()) return Messages::array({{{"role", role}, {"content", value}}});
  check_messages(place, key, value);
  return value;
}

Conversation parse_line(std::string_view line, const std::string& place) {
  const Json checked = parse_json(line, place);  // its depth, too
  const JsonObject fields(checked, place);
  const auto record = Messages::parse(line);  // again, as templates see keys in their order
  const auto has = [&](const char* key) { return record.contains(key) && !record[key].is_null(); };
  Conversation result;
  result.place = place;
  if (has("tools")) result.tools = record["tools"];
  if (has("messages")) {
    result.messages = record["messages"];
    check_messages(place, "messages", result.messages);
  } else if (has("prompt") && has("completion")) {
    result.messages = messages_of(place, "prompt", "user", record["prompt"]);
    for (const auto& message :
         messages_of(place, "completion", "assistant", record["completion"])) {
      result.messages.push_back(message);
    }
  } else if (has("text")) {
    result.text = fields.require_string("text");
  } else {
    refuse(place, "has none of \"text\", \"messages\", and \"prompt\" with \"completion\"");
  }
  return result;
}

}  // namespace

std::vector<Conversation> parse_conversations(std::string_view text, std::string_view file) {
  std::vector<Conversation> conversations;
  for_each_line(text, file, [&](std::string_view line, const std::string& place) {
    conversations.push_back(parse_line(line, place));
  });
  return conversations;
}

std::string render(const Conversation& conversation, const ChatTemplate& chat) {
  ChatTemplate::Input input;
  input.messages = conversation.messages;
  input.tools = conversation.tools;
  input.add_generation_prompt = false;
  input.now = kDate;
  try {
    return chat.render(input);
  } catch (const Error& error) {
    refuse(conversation.place, error.what());
  }
}

}  // namespace nibble
