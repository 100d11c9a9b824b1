#include "text/chat_template.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "nibble/error.h"

namespace nibble {
namespace {

using Json = ChatTemplate::Json;

ChatTemplate::Input greeting() {
  ChatTemplate::Input input;
  input.messages = Json::parse(R"([{"role": "user", "content": "Hi"}])");
  return input;
}

std::string render(std::string_view source, const jinja::Limits& limits = {}) {
  return ChatTemplate(source, "model.gguf", {"<s>", "</s>"}, limits).render(greeting());
}

// The message of the error; fails the test when there is none.
std::string error_of(std::string_view source, const jinja::Limits& limits = {}) {
  try {
    const std::string text = render(source, limits);
    ADD_FAILURE() << "rendered " << text.size() << " bytes: " << source;
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ChatTemplate, GivesTheTemplateMessagesTokensAndVariables) {
  const ChatTemplate chat(
      "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}"
      "{{ eos_token }}{{ add_generation_prompt }}{{ thinking }}{{ tools }}{{ documents }}",
      "model.gguf", {"<s>", "</s>"});
  ChatTemplate::Input input = greeting();
  input.add_generation_prompt = false;
  input.variables["thinking"] = "off";
  EXPECT_EQ(chat.render(input), "<s>[user] Hi</s>FalseoffNoneNone");
}

TEST(ChatTemplate, LeavesToolsUndefinedWhenAskedTo) {
  const ChatTemplate chat("{{ tools is defined }}", "model.gguf", {});
  ChatTemplate::Input input = greeting();
  EXPECT_EQ(chat.render(input), "True");
  input.tools = std::nullopt;
  EXPECT_EQ(chat.render(input), "False");
}

TEST(ChatTemplate, KeepsTheOrderOfKeys) {
  const ChatTemplate chat("{{ tools | tojson }}", "model.gguf", {});
  ChatTemplate::Input input = greeting();
  input.tools = Json::parse(R"([{"z": 1, "a": {"y": 2, "b": 3}}])");
  EXPECT_EQ(chat.render(input), R"([{"z": 1, "a": {"y": 2, "b": 3}}])");
}

TEST(ChatTemplate, ARefusalIsTheUsersErrorAndOthersAreTheFiles) {
  const auto code_of = [](std::string_view source) {
    try {
      render(source);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kIo;
  };
  EXPECT_EQ(code_of("{{ raise_exception('no') }}"), ErrorCode::kUsage);
  EXPECT_EQ(code_of("{{ missing.x }}"), ErrorCode::kInvalidFile);
  EXPECT_EQ(code_of("{{ }}"), ErrorCode::kInvalidFile);
}

TEST(ChatTemplate, ErrorsNameTheFileAndTheLine) {
  EXPECT_EQ(error_of("a\nb\n{{ missing.x }}"), "model.gguf: line 3: 'missing' is undefined");
  EXPECT_EQ(error_of("{% if true %}\n\n{{ raise_exception('no') }}{% endif %}"),
            "model.gguf: line 3: no");
  EXPECT_EQ(error_of("a\n{% for x %}"),
            "model.gguf: line 2: expected token 'in', got 'end of statement block'");
}

TEST(ChatTemplate, RefusesTextThatIsNotUtf8) {
  EXPECT_EQ(error_of("a\xff"), "model.gguf: the template is not valid UTF-8");
  const ChatTemplate chat("{{ messages }}", "model.gguf", {});
  ChatTemplate::Input input;
  input.messages = Json::array({std::string("\xc3")});
  EXPECT_THROW(chat.render(input), Error);
}

TEST(ChatTemplate, NamesWhatJinjaHasAndChatTemplatesDoNot) {
  EXPECT_EQ(error_of("{% include 'other' %}"),
            "model.gguf: line 1: the statement 'include' is not supported in chat templates");
  EXPECT_EQ(error_of("{{ 'a'.encode() }}"),
            "model.gguf: line 1: the method str.encode() is not supported here");
  EXPECT_EQ(error_of("{{ 10 ** 30 }}"),
            "model.gguf: line 1: an integer is too large: Nibble computes with 64 bits");
}

// Each of these would take hours or more memory than there is.
TEST(ChatTemplateLimits, StopWhatDoesNotEnd) {
  jinja::Limits limits;
  limits.steps = 1'000'000;
  limits.memory_bytes = size_t{32} << 20;
  for (const std::string source : {
           "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
           "{{ 'a' * 10 ** 15 }}",
           "{{ ('a' * 10 ** 9)[::-1] }}",
           "{{ [0] * 10 ** 15 }}",
           "{{ 'a'.center(10 ** 15) }}",
           "{{ 'a'.ljust(10 ** 15, '\u4f60') }}",
           "{{ '%999999999999d' % 1 }}",
           "{{ '{:999999999999}'.format(1) }}",
           "{{ '%.999999f' % 1 }}",
           "{{ ('x\n' * 9999) | indent(10 ** 9) }}",
           "{{ [1] | batch(10 ** 15, 0) | list }}",
           "{{ [1] | slice(10 ** 15) | list }}",
           "{{ [1] | tojson(indent=10 ** 15) }}",
           "{{ 'a' | center(10 ** 15) }}",
           "{{ ('a' * 9999).replace('', 'b' * 99999) }}",
           "{{ ('b' * 99999).join('a' * 99999) }}",
           "{{ range(99999) | join('c' * 99999) }}",
           "{% set n = namespace(x='ab') %}{% for i in range(99) %}{% set n.x = n.x + n.x %}"
           "{% endfor %}",
           "{% set n = namespace(x=['ab']) %}{% for i in range(99) %}{% set n.x = n.x + n.x %}"
           "{% endfor %}",
           "{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}"
           "{% endfor %}{{ n.x }}",
           "{% set n = namespace(x=[1], y=[1]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}"
           "{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == n.y }}",
           "{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}"
           "{% endfor %}{{ n.x | tojson }}",
           "{% set d = namespace(x=[]) %}{% for i in range(99999) %}{% set d.x = d.x + [[i, i]] %}"
           "{% endfor %}",
           "{{ dict(range(99999) | batch(1) | map('list')) }}",
       }) {
    EXPECT_NE(error_of(source, limits).find("model.gguf: line"), std::string::npos) << source;
  }
}

TEST(ChatTemplateLimits, StopWhatNestsTooDeep) {
  const auto repeated = [](std::string_view part, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += part;
    return text;
  };
  const std::string many = repeated("(", 100'000);
  for (const std::string& source : std::vector<std::string>{
           "{{ " + many,
           "{{ " + repeated("[", 5000) + repeated("]", 5000) + " }}",
           "{{ " + repeated("not ", 5000) + "1 }}",
           "{{ " + repeated("-", 5000) + "1 }}",
           "{{ a" + repeated(".b", 5000) + " }}",
           "{{ a" + repeated("()", 5000) + " }}",
           "{{ a" + repeated("|trim", 5000) + " }}",
           "{{ a" + repeated(" is odd", 5000) + " }}",
           "{{ 1" + repeated(" if 1", 5000) + " }}",
           "{{ 1" + repeated(" if 1 else 1", 5000) + " }}",
           repeated("{% if 1 %}", 5000) + repeated("{% endif %}", 5000),
           "{% set " + repeated("(", 5000) + "a" + repeated(")", 5000) + " = 1 %}",
           "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
           "{% macro f() %}{% call f() %}{% endcall %}{% endmacro %}{{ f() }}",
           "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
           "{% set n = namespace() %}{% set n.n = n %}{{ n }}",
           "{% set n = namespace(x=1) %}{% for i in range(9999) %}{% set n.x = [n.x] %}{% endfor %}"
           "{{ n.x }}",
           "{% set n = namespace(x=1, y=1) %}{% for i in range(9999) %}{% set n.x = [n.x] %}"
           "{% set n.y = [n.y] %}{% endfor %}{{ n.x == n.y }}",
           "{{ [1] | map('map', 'map', 'map', 'map', 'map', 'map', 'upper') | list }}",
       }) {
    EXPECT_NE(error_of(source).find("model.gguf: line"), std::string::npos) << source.substr(0, 60);
  }
}

TEST(ChatTemplateLimits, AreTheCallers) {
  jinja::Limits limits;
  limits.output_bytes = 10;
  EXPECT_NE(error_of("{% for i in range(11) %}a{% endfor %}", limits).find("prints more than"),
            std::string::npos);
  EXPECT_EQ(render("{% for i in range(10) %}a{% endfor %}", limits), "aaaaaaaaaa");
  limits = {};
  limits.steps = 1000;
  EXPECT_NE(error_of("{% for i in range(999) %}{% endfor %}", limits).find("1000 steps"),
            std::string::npos);
  limits = {};
  limits.template_bytes = 5;
  EXPECT_NE(error_of("123456", limits).find("6 bytes of template"), std::string::npos);
}

// What a long conversation needs is far inside of the limits.
TEST(ChatTemplateLimits, LetLongConversationsPass) {
  jinja::Limits limits;
  limits.steps /= 10;
  const ChatTemplate chat(
      "{% for m in messages %}{% if m.role == 'user' %}<u>{{ m['content'] | trim }}</u>{% else %}"
      "<a>{{ m['content'].strip() }}</a>{% endif %}{% endfor %}",
      "model.gguf", {}, limits);
  ChatTemplate::Input input;
  const std::string long_text(20'000, 'x');
  for (int i = 0; i < 1000; ++i) {
    input.messages.push_back({{"role", i % 2 == 0 ? "user" : "assistant"}, {"content", long_text}});
  }
  EXPECT_EQ(chat.render(input).size(), 1000 * (long_text.size() + 7));
}

}  // namespace
}  // namespace nibble
