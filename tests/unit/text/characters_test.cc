#include "text/characters.h"

#include <gtest/gtest.h>

namespace nibble {
namespace {

// All of this as PyPI's tokenizers 0.23.3 has it; tests/peers/tokenizers_test.py asks it for every
// character.
TEST(Characters, AreControlsAsUnicode8HasThem) {
  for (const char32_t c : {0x1, 0x7f, 0x85, 0xad, 0x600, 0x180e, 0x200d, 0xe000, 0xe056, 0xf1234})
    EXPECT_TRUE(is_control(c)) << std::hex << uint32_t{c};
  // Nobody's; a format character since Unicode 9, 14
  for (const char32_t c : {0x20, 0x41, 0x378, 0x558, 0x5ca, 0x8e2, 0x890, 0x10ffff})
    EXPECT_FALSE(is_control(c)) << std::hex << uint32_t{c};
}

TEST(Characters, AreMarksAsUnicode8HasThem) {
  EXPECT_TRUE(is_nonspacing_mark(0x301));
  EXPECT_TRUE(is_nonspacing_mark(0x1734));  // a spacing one since Unicode 14
  EXPECT_FALSE(is_nonspacing_mark(0x903));
  EXPECT_TRUE(is_mark(0x903));
  for (const char32_t c : {0x8ca, 0x1885, 0x1df6, 0x1e944})
    EXPECT_FALSE(is_nonspacing_mark(c)) << std::hex << uint32_t{c};
}

std::string lowercase(char32_t character) {
  std::string text;
  append_lowercase(character, text);
  return text;
}

TEST(Characters, HaveLowerCasesUpToUnicode17) {
  EXPECT_EQ(lowercase(U'A'), "a");
  EXPECT_EQ(lowercase(U'a'), "a");
  EXPECT_EQ(lowercase(0x130), "i\u0307");
  EXPECT_EQ(lowercase(0x1c89), "\u1c8a");
  EXPECT_EQ(lowercase(0xa7cb), "\u0264");
  EXPECT_EQ(lowercase(0x10d50), "\U00010d70");
  EXPECT_EQ(lowercase(0x16ea0), "\U00016ebb");
}

}  // namespace
}  // namespace nibble
