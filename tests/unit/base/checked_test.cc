#include "base/checked.h"

#include <gtest/gtest.h>

namespace nibble {
namespace {

TEST(Checked, AddsUpToTheLargestNumber) {
  EXPECT_EQ(checked_add(UINT64_MAX - 1, 1), UINT64_MAX);
  EXPECT_EQ(checked_add(UINT64_MAX, 1), std::nullopt);
}

TEST(Checked, MultipliesUpToTheLargestNumber) {
  EXPECT_EQ(checked_mul(uint64_t{1} << 32, (uint64_t{1} << 32) - 1), 0xffffffff00000000u);
  EXPECT_EQ(checked_mul(uint64_t{1} << 32, uint64_t{1} << 32), std::nullopt);
  EXPECT_EQ(checked_mul(UINT64_MAX, 0), 0u);
}

TEST(Checked, AlignsUpwards) {
  EXPECT_EQ(checked_align(0, 32), 0u);
  EXPECT_EQ(checked_align(1, 32), 32u);
  EXPECT_EQ(checked_align(32, 32), 32u);
  EXPECT_EQ(checked_align(UINT64_MAX, 32), std::nullopt);
}

}  // namespace
}  // namespace nibble
