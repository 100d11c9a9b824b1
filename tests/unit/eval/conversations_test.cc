#include "eval/conversations.h"

#include <gtest/gtest.h>

#include "support/files.h"

namespace nibble {
namespace {

const ChatTemplate& brief() {
  static const ChatTemplate chat(
      "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
      "{% if add_generation_prompt %}?{% endif %}{% if tools %}{{ tools | tojson }}{% endif %}"
      "{% if messages[0].role == 'refused' %}{{ raise_exception('not so') }}{% endif %}"
      "{% if messages[0].role == 'dated' %}{{ strftime_now('%Y-%m-%d') }}{% endif %}",
      "brief", {});
  return chat;
}

std::string rendered(const std::string& line) {
  const auto conversations = parse_conversations(line, "set.jsonl");
  return render(conversations.at(0), brief());
}

TEST(Conversations, ReadsTextsAndChatsOfEitherKind) {
  const auto set = parse_conversations(
      "\xEF\xBB\xBF{\"text\": \"One\", \"id\": 7}\r\n\n"
      "{\"messages\": [{\"role\": \"user\", \"content\": \"Two\"}]}\n"
      "{\"prompt\": \"Three\", \"completion\": \"Four\", \"messages\": null}",
      "set.jsonl");
  ASSERT_EQ(set.size(), 3u);
  EXPECT_FALSE(set[0].is_chat());
  EXPECT_EQ(set[0].text, "One");
  EXPECT_EQ(set[0].place, "set.jsonl, line 1");
  EXPECT_EQ(render(set[1], brief()), "user: Two\n");
  EXPECT_EQ(set[1].place, "set.jsonl, line 3");
  EXPECT_EQ(render(set[2], brief()), "user: Three\nassistant: Four\n");
}

TEST(Conversations, KeepsTheKeysOfToolsInTheirOrder) {
  EXPECT_EQ(
      rendered(R"({"messages": [{"role": "a", "content": "b"}], "tools": [{"z": 1, "a": 2}]})"),
      "a: b\n[{\"z\": 1, \"a\": 2}]");
}

TEST(Conversations, TheDateIsAlwaysTheSame) {
  EXPECT_EQ(rendered(R"({"messages": [{"role": "dated", "content": ""}]})"), "dated: \n2024-07-26");
}

TEST(Conversations, NamesTheLineWhoseMessagesTheTemplateRefuses) {
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"set.jsonl, line 1", "not so"}, [] {
    rendered(R"({"messages": [{"role": "refused", "content": ""}]})");
  }));
}

TEST(Conversations, AMessageThatCallsAToolNeedsNoContent) {
  const auto refused = [](const std::string& message) {
    return fails_with(ErrorCode::kInvalidFile, {"line 1", "message 1", "content"}, [&] {
      parse_conversations("{\"messages\": [" + message + "]}", "set.jsonl");
    });
  };
  const std::string call = R"({"role": "assistant", "content": null, "tool_calls": [{"id": 1}]})";
  EXPECT_EQ(parse_conversations("{\"messages\": [" + call + "]}", "set.jsonl").size(), 1u);
  EXPECT_TRUE(refused(R"({"role": "assistant", "content": null})"));
  EXPECT_TRUE(refused(R"({"role": "assistant", "content": 1})"));
  EXPECT_TRUE(refused(R"({"role": "assistant"})"));
}

TEST(Conversations, SeedsOfTheFuzzerAreRead) {
  for (const auto& seed : fuzz_seeds("conversations"))
    EXPECT_FALSE(parse_conversations(read_file(seed), "seed").empty()) << seed;
}

}  // namespace
}  // namespace nibble
