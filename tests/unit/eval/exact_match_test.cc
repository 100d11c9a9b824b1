#include "eval/exact_match.h"

#include <gtest/gtest.h>

namespace nibble {
namespace {

TEST(ExactMatch, IsToTheLetterUnlessAskedOtherwise) {
  const AnswerCheck check = {{"The Cat", "42."}, {}, false, {}};
  EXPECT_TRUE(is_right_answer(check, "The Cat", {}));
  EXPECT_FALSE(is_right_answer(check, "the cat", {}));
  EXPECT_FALSE(is_right_answer(check, " The Cat", {}));
  EXPECT_TRUE(is_right_answer(check, "THE CAT", {.ignore_case = true}));
  EXPECT_TRUE(is_right_answer(check, "4,2", {.ignore_punctuation = true}));
  EXPECT_TRUE(is_right_answer(check, "The Cat9", {.ignore_numbers = true}));
}

TEST(ExactMatch, FindsAPattern) {
  AnswerCheck check;
  check.pattern = std::regex("^\\s*14(?![0-9])");
  EXPECT_TRUE(is_right_answer(check, " 14.", {}));
  EXPECT_FALSE(is_right_answer(check, " 140", {}));
}

TEST(ExactMatch, ComparesJsonByValue) {
  AnswerCheck check;
  check.wants_json = true;
  EXPECT_TRUE(is_right_answer(check, "\n{\"a\": \"}\\\"\"} and so on", {}));
  EXPECT_TRUE(is_right_answer(check, "[1, [2]]", {}));
  EXPECT_TRUE(is_right_answer(check, "true\nx", {}));
  EXPECT_FALSE(is_right_answer(check, "{\"a\": 1", {}));
  EXPECT_FALSE(is_right_answer(check, "", {}));
  check.json = Json{{"a", 1}, {"b", 2}};
  EXPECT_TRUE(is_right_answer(check, "{\"b\": 2, \"a\": 1}", {}));
  EXPECT_FALSE(is_right_answer(check, "{\"b\": 2}", {}));
}

TEST(ExactMatch, BoundsWhatPatternsSee) {
  AnswerCheck check;
  check.pattern = std::regex("(a|b)*c");
  EXPECT_FALSE(is_right_answer(check, std::string(1 << 20, 'a') + "c", {}));
}

TEST(ExactMatch, CutsAtOneStopAfterTheOther) {
  const std::vector<std::string> stops = {"\n\n", "", "Q:"};
  EXPECT_EQ(before_stops("a Q: b\n\nc", stops), "a ");
  EXPECT_EQ(before_stops("a b", stops), "a b");
}

}  // namespace
}  // namespace nibble
