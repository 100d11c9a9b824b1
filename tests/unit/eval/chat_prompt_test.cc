#include "eval/chat_prompt.h"

#include <gtest/gtest.h>

#include <vector>

#include "nibble/error.h"

namespace nibble {
namespace {

// Shows each message as role(content).
constexpr std::string_view kShowing =
    "{% for m in messages %}{{ m.role }}({{ m.content }}) {% endfor %}{{ add_generation_prompt }}";

ChoiceItem numbered(int number) {
  ChoiceItem item;
  item.context = "Q" + std::to_string(number);
  item.choices = {"no", "A" + std::to_string(number)};
  item.right = {1};
  return item;
}

TEST(ChatPrompts, AskAfterExamplesInTurns) {
  const ChatTemplate chat(kShowing, "chat", {});
  const ChoiceItem one = numbered(1), two = numbered(2);
  const std::vector<const ChoiceItem*> examples = {&one, &two};
  EXPECT_EQ(ChatPrompts(chat, false).prompt("About numbers.", examples, "Q3"),
            "system(About numbers.) user(Q1) assistant(A1) user(Q2) assistant(A2) user(Q3) True");
  EXPECT_EQ(ChatPrompts(chat, true).prompt("About numbers.", examples, "Q3"),
            "system(About numbers.) user(Q1 A1\n\nQ2 A2\n\nQ3) True");
  EXPECT_EQ(ChatPrompts(chat, false).prompt("", {}, "Q3"), "user(Q3) True");
}

TEST(ChatPrompts, LeaveTheSystemMessageOutWhereTheTemplateRefusesIt) {
  const ChatTemplate chat(
      std::string("{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}"
                  "{% endif %}") +
          std::string(kShowing),
      "chat", {});
  EXPECT_EQ(ChatPrompts(chat, false).prompt("About numbers.", {}, "Q3"), "user(Q3) True");
}

TEST(ChatPrompts, DoNotHideOtherRefusals) {
  const ChatTemplate chat("{{ raise_exception('no chats') }}", "chat", {});
  EXPECT_THROW(ChatPrompts(chat, false).prompt("About numbers.", {}, "Q3"), Error);
  const ChatTemplate broken("{{ messages[0].x.y }}", "chat", {});
  EXPECT_THROW(ChatPrompts(broken, false).prompt("About numbers.", {}, "Q3"), Error);
}

TEST(ChatPrompts, PutNothingBetweenPromptAndChoice) {
  const ChatTemplate chat(kShowing, "chat", {});
  const ChoiceItem item = ChatPrompts(chat, false).item(numbered(1), {});
  EXPECT_EQ(item.context, "user(Q1) True");
  EXPECT_EQ(item.delimiter, "");
  EXPECT_EQ(item.choices, (std::vector<std::string>{"no", "A1"}));
}

TEST(ChatPrompts, AskEachOptionWhereChoicesAreContexts) {
  const ChatTemplate chat(kShowing, "chat", {});
  ChoiceItem example;
  example.choices = {"The cup", "The plate"};
  example.ending = "broke.";
  example.right = {1};
  ChoiceItem item = example;
  item.choices = {"The pen", "The tree"};
  const std::vector<const ChoiceItem*> examples = {&example};
  EXPECT_EQ(ChatPrompts(chat, false).item(item, examples).choices,
            (std::vector<std::string>{"user(The plate) assistant(broke.) user(The pen) True",
                                      "user(The plate) assistant(broke.) user(The tree) True"}));
}

}  // namespace
}  // namespace nibble
