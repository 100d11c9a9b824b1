// Small templates with what Python's jinja2 makes of them: tests/golden/jinja/make.py.
#include <gtest/gtest.h>

#include <ctime>
#include <set>
#include <string>

#include "nibble/error.h"
#include "support/files.h"
#include "text/chat_template.h"

namespace nibble {
namespace {

using Json = ChatTemplate::Json;

const Json& golden() {
  static const Json json = Json::parse(read_file(repository_path("tests/golden/jinja/cases.json")));
  return json;
}

std::chrono::system_clock::time_point time_of(const std::string& text) {
  std::tm time{};
  strptime(text.c_str(), "%Y-%m-%d %H:%M:%S", &time);
  time.tm_isdst = -1;
  return std::chrono::system_clock::from_time_t(std::mktime(&time));
}

ChatTemplate::Input input() {
  ChatTemplate::Input input;
  input.variables = golden()["variables"];
  input.messages = input.variables["messages"];
  input.variables.erase("messages");
  input.now = time_of(golden()["now"]);
  return input;
}

std::string outcome(const Json& row) {
  try {
    const ChatTemplate chat(row["template"].get<std::string>(), "case", {"<s>", "</s>"});
    return chat.render(input());
  } catch (const Error& error) {
    return std::string("error: ") + error.what();
  }
}

void expect_row(const Json& row) {
  const std::string got = outcome(row);
  if (row.contains("expected")) {
    EXPECT_EQ(got, row["expected"].get<std::string>());
    return;
  }
  std::string expected = row["raises"].get<std::string>();
  // Python's compiler adds the line of the code that Jinja makes.
  expected = expected.substr(0, expected.find(" (<template>"));
  EXPECT_TRUE(got.starts_with("error: case: line ") && got.ends_with(": " + expected))
      << got << "\n"
      << expected;
  if (row.contains("line")) {
    EXPECT_EQ(got.rfind("error: case: line " + std::to_string(row["line"].get<int>()) + ":", 0), 0u)
        << got;
  }
}

TEST(Jinja, DoesWhatPythonDoes) {
  std::set<std::string> groups;
  for (const auto& row : golden()["cases"]) {
    SCOPED_TRACE(row["group"].get<std::string>() + ": " + row["template"].get<std::string>());
    groups.insert(row["group"].get<std::string>());
    expect_row(row);
  }
  EXPECT_GE(golden()["cases"].size(), 300u);
  EXPECT_GE(groups.size(), 18u);
}

}  // namespace
}  // namespace nibble
