#include "text/unicode.h"

#include <gtest/gtest.h>

#include <string>

namespace nibble {
namespace {

TEST(Unicode, FindsTheLengthOfSequences) {
  EXPECT_EQ(utf8_sequence("ab"), 1);
  EXPECT_EQ(utf8_sequence("\u00fcx"), 2);
  EXPECT_EQ(utf8_sequence("\u2581x"), 3);
  EXPECT_EQ(utf8_sequence("\U0001F999"), 4);
  EXPECT_EQ(utf8_sequence("\xf4\x8f\xbf\xbf"), 4);  // U+10FFFF
  EXPECT_EQ(utf8_sequence(std::string_view("\0", 1)), 1);
}

TEST(Unicode, TellsIncompleteFromInvalid) {
  for (const char* text : {"\xc3", "\xe2\x96", "\xf0", "\xf0\x9f", "\xf0\x9f\xa6"}) {
    EXPECT_EQ(utf8_sequence(text), kIncompleteUtf8);
  }
  // Continuation first, overlong forms, a surrogate, above U+10FFFF, a sequence broken off.
  for (const char* text : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80",
                           "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5", "\xff", "\xe2\x96q"}) {
    EXPECT_EQ(utf8_sequence(text), kInvalidUtf8);
  }
}

TEST(Unicode, AcceptsWholeTextsOnly) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("a \u00fc \U0001F999"));
  EXPECT_FALSE(is_utf8("a\xc3"));
  EXPECT_FALSE(
      is_utf8("a\xff"
              "b"));
}

}  // namespace
}  // namespace nibble
