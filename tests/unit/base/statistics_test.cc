#include "base/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace nibble {
namespace {

TEST(Summary, HasMeanDeviationOfASampleAndMedian) {
  const Summary summary = summarize(std::vector{4.0, 1.0, 16.0, 3.0});
  EXPECT_DOUBLE_EQ(summary.mean, 6.0);
  EXPECT_DOUBLE_EQ(summary.deviation, std::sqrt((4.0 + 25.0 + 100.0 + 9.0) / 3.0));
  EXPECT_DOUBLE_EQ(summary.median, 3.5);
}

TEST(Summary, TakesTheOneInTheMiddleOfAnOddNumber) {
  EXPECT_DOUBLE_EQ(summarize(std::vector{9.0, -1.0, 2.0}).median, 2.0);
}

TEST(Summary, OfOneValueHasNoDeviation) {
  const Summary summary = summarize(std::vector{7.5});
  EXPECT_DOUBLE_EQ(summary.mean, 7.5);
  EXPECT_DOUBLE_EQ(summary.median, 7.5);
  EXPECT_EQ(summary.deviation, 0.0);
}

}  // namespace
}  // namespace nibble
