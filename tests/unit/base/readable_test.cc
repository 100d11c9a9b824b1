#include "nibble/readable.h"

#include <gtest/gtest.h>

namespace nibble {
namespace {

TEST(ReadableBytes, HaveTheUnitThatKeepsThemShort) {
  EXPECT_EQ(readable_bytes(0), "0 B");
  EXPECT_EQ(readable_bytes(1023), "1023 B");
  EXPECT_EQ(readable_bytes(1536), "1.50 KiB");
  EXPECT_EQ(readable_bytes(4330000), "4.13 MiB");
  EXPECT_EQ(readable_bytes(uint64_t{1} << 30), "1.00 GiB");
  EXPECT_EQ(readable_bytes(uint64_t{5000} << 40), "5000.00 TiB");
}

}  // namespace
}  // namespace nibble
