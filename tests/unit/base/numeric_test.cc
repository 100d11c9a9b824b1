#include "base/numeric.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nibble {
namespace {

// The number that a finite binary16 pattern means, from the standard's formula.
double f16_value(uint32_t h) {
  const double sign = (h & 0x8000) != 0 ? -1.0 : 1.0;
  const int exponent = static_cast<int>(h >> 10 & 31);
  const double mantissa = h & 0x3ff;
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

TEST(F16, EveryFinitePatternHasItsStandardValue) {
  for (uint32_t h = 0; h < 0x10000; ++h) {
    if ((h >> 10 & 31) == 31) continue;
    ASSERT_EQ(static_cast<double>(f32_from_f16(static_cast<uint16_t>(h))), f16_value(h)) << h;
  }
}

TEST(F16, EveryPatternSurvivesTheRoundTrip) {
  for (uint32_t h = 0; h < 0x10000; ++h) {
    const float f = f32_from_f16(static_cast<uint16_t>(h));
    const uint32_t quiet = std::isnan(f) ? 0x200 : 0;  // a signalling NaN comes back quiet
    ASSERT_EQ(f16_from_f32(f), h | quiet) << h;
  }
}

TEST(F16, RoundsToNearestAndTiesToEven) {
  for (uint32_t h = 0; h < 0x7bff; ++h) {
    const double low = f16_value(h);
    const double high = f16_value(h + 1);
    const auto middle = static_cast<float>((low + high) / 2);  // exact: one more bit is enough
    const uint32_t even = h % 2 == 0 ? h : h + 1;
    ASSERT_EQ(f16_from_f32(middle), even) << h;
    ASSERT_EQ(f16_from_f32(std::nextafter(middle, -1.0f)), h);
    ASSERT_EQ(f16_from_f32(std::nextafter(middle, 1e9f)), h + 1);
    ASSERT_EQ(f16_from_f32(-middle), even | 0x8000);
  }
}

TEST(F16, OverflowsToInfinityFromTheMiddleBeyondTheLargest) {
  EXPECT_EQ(f16_from_f32(65519.996f), 0x7bff);
  EXPECT_EQ(f16_from_f32(65520.0f), 0x7c00);
  EXPECT_EQ(f16_from_f32(-1e30f), 0xfc00);
  EXPECT_EQ(f16_from_f32(INFINITY), 0x7c00);
}

TEST(F16, NanStaysNan) {
  EXPECT_TRUE(std::isnan(f32_from_f16(f16_from_f32(NAN))));
  EXPECT_TRUE(std::isnan(f32_from_f16(0x7c01)));
}

TEST(Bf16, EveryPatternSurvivesTheRoundTrip) {
  for (uint32_t h = 0; h < 0x10000; ++h) {
    const float f = f32_from_bf16(static_cast<uint16_t>(h));
    const uint32_t quiet = std::isnan(f) ? 0x40 : 0;
    ASSERT_EQ(bf16_from_f32(f), h | quiet) << h;
  }
}

TEST(Bf16, RoundsToNearestAndTiesToEven) {
  EXPECT_EQ(bf16_from_f32(std::bit_cast<float>(0x3f808000u)), 0x3f80);
  EXPECT_EQ(bf16_from_f32(std::bit_cast<float>(0x3f818000u)), 0x3f82);
  EXPECT_EQ(bf16_from_f32(std::bit_cast<float>(0x3f808001u)), 0x3f81);
  EXPECT_EQ(bf16_from_f32(std::bit_cast<float>(0x7f7fffffu)), 0x7f80);  // rounds up to infinity
}

}  // namespace
}  // namespace nibble
