#include "eval/task_text.h"

#include <gtest/gtest.h>

namespace nibble {
namespace {

// What Python says is beside each, as str.strip(), str.capitalize() and so on gave it.
TEST(TaskText, IsStrippedOfUnicodesWhiteSpace) {
  EXPECT_EQ(strip(" \t\n\x1c a b\u3000\u00a0\r"), "a b");
  EXPECT_EQ(right_strip(" a\u2003"), " a");
  EXPECT_EQ(strip("\u200b"), "\u200b");  // zero width space is none
  EXPECT_EQ(strip(" \n"), "");
}

TEST(TaskText, IsCapitalizedWithTheRestInLowerCase) {
  EXPECT_EQ(capitalize("he SAID Hello"), "He said hello");
  EXPECT_EQ(capitalize("élise, THE ÄLTER"), "Élise, the älter");
  EXPECT_EQ(capitalize("×÷ A"), "×÷ a");
  EXPECT_EQ(capitalize(""), "");
}

TEST(TaskText, IsReplacedFromTheLeftOnce) {
  EXPECT_EQ(replace_all("a   b", "  ", " "), "a  b");
  EXPECT_EQ(replace_all("aaa", "aa", "b"), "ba");
}

TEST(TaskText, HasAsManyCharactersAsCodePoints) {
  EXPECT_EQ(count_characters("naïve"), 5u);
  EXPECT_EQ(count_characters("\U0001F600"), 1u);
}

}  // namespace
}  // namespace nibble
