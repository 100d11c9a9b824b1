#include "base/huge_pages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace nibble {
namespace {

TEST(HugePages, AreZeroedAlignedAndGoWithTheirOwner) {
  constexpr uint64_t kSize = 5 << 20;
  HugePages pages(kSize);
  std::byte* const data = pages.data();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(data) % (2 << 20), 0u);
  EXPECT_TRUE(std::all_of(data, data + kSize, [](std::byte b) { return b == std::byte{0}; }));
  data[kSize - 1] = std::byte{7};
  HugePages owner;
  EXPECT_EQ(owner.data(), nullptr);
  owner = std::move(pages);
  EXPECT_EQ(owner.data(), data);
  EXPECT_EQ(owner.data()[kSize - 1], std::byte{7});
}

TEST(AvailableMemory, IsWhatTheSystemHasAtMost) {
  EXPECT_GT(available_memory(), uint64_t{1} << 20);
  EXPECT_LT(available_memory(), uint64_t{1} << 50);
}

}  // namespace
}  // namespace nibble
