// Chat templates of published models, with what Python's jinja2 makes of them.
#include <gtest/gtest.h>

#include <string>

#include "nibble/error.h"
#include "support/files.h"
#include "text/chat_template.h"

namespace nibble {
namespace {

using Json = ChatTemplate::Json;

// The time at which the renderings were made.
std::chrono::system_clock::time_point noon() {
  std::tm time{};
  time.tm_year = 2026 - 1900;
  time.tm_mon = 6;
  time.tm_mday = 26;
  time.tm_hour = 12;
  time.tm_isdst = -1;
  return std::chrono::system_clock::from_time_t(std::mktime(&time));
}

ChatTemplate::Input input_of(const Json& conversation) {
  ChatTemplate::Input input;
  input.now = noon();
  input.tools = std::nullopt;
  for (const auto& [name, value] : conversation.items()) {
    if (name == "messages") {
      input.messages = value;
    } else if (name == "tools") {
      input.tools = value;
    } else if (name == "add_generation_prompt") {
      input.add_generation_prompt = value.get<bool>();
    } else {
      input.variables[name] = value;
    }
  }
  return input;
}

// What the template makes of the conversation: its text, or "error: " and the message.
std::string outcome(const ChatTemplate& chat, const Json& conversation) {
  try {
    return chat.render(input_of(conversation));
  } catch (const Error& error) {
    return std::string("error: ") + error.what();
  }
}

void expect_case(const ChatTemplate& chat, const Json& conversation, const Json& expected) {
  const std::string got = outcome(chat, conversation);
  if (expected.contains("expected")) {
    EXPECT_EQ(got, expected["expected"].get<std::string>());
    return;
  }
  const bool in_python = expected.contains("raises_python");
  std::string message = expected[in_python ? "raises_python" : "raises"].get<std::string>();
  // Python's own errors begin with their type.
  if (in_python) message = message.substr(message.find(": ") + 2);
  EXPECT_TRUE(got.starts_with("error: ") && got.ends_with(": " + message)) << got << "\n"
                                                                           << message;
}

TEST(PublishedChatTemplate, RendersAsJinjaDoesToTheByte) {
  const auto folder = shared_path("templates");
  NIBBLE_REQUIRE_SHARED(folder);
  const Json expected = Json::parse(read_file(folder / "expected.json"));
  size_t cases = 0;
  for (const auto& [name, row] : expected["templates"].items()) {
    const ChatTemplate chat(read_file(folder / name), name,
                            {expected["special"]["bos_token"], expected["special"]["eos_token"]});
    for (const auto& [conversation, result] : row["cases"].items()) {
      SCOPED_TRACE(name + ", " + conversation);
      expect_case(chat, expected["conversations"][conversation], result);
      ++cases;
    }
  }
  EXPECT_GE(cases, 200u);
}

}  // namespace
}  // namespace nibble
