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

// Tables of the distribution (Abramowitz and Stegun, table 26.10).
TEST(StudentsT, HasTheTablesPercentiles) {
  EXPECT_NEAR(students_t_95(1), 12.706, 5e-4);
  EXPECT_NEAR(students_t_95(9), 2.262, 5e-4);
  EXPECT_NEAR(students_t_95(10), 2.228, 5e-4);
  EXPECT_NEAR(students_t_95(30), 2.042, 5e-4);
  EXPECT_NEAR(students_t_95(1'000'000), 1.95997, 1e-5);
  EXPECT_TRUE(std::isnan(students_t_95(0)));
}

// By hand from the logarithms 0 and 0.2 over -0.1 and 0.1: the means differ by 0.1, the variance of
// that is 0.02, and Welch's degrees of freedom are 2 (t 4.30265).
TEST(RatioOfMeans, HasWelchsInterval) {
  const auto interval = ratio_of_means_95(std::vector{1.0, std::exp(0.2)},
                                          std::vector{std::exp(-0.1), std::exp(0.1)});
  const double half = 4.30265 * std::sqrt(0.02);
  EXPECT_NEAR(interval.ratio, std::exp(0.1), 1e-12);
  EXPECT_NEAR(interval.low, std::exp(0.1 - half), 1e-4);
  EXPECT_NEAR(interval.high, std::exp(0.1 + half), 1e-4);
}

TEST(RatioOfMeans, IsExactWithoutSpreadAndUnknownWithOneValue) {
  const auto exact = ratio_of_means_95(std::vector{6.0, 6.0}, std::vector{3.0, 3.0});
  EXPECT_NEAR(exact.low, 2, 1e-12);
  EXPECT_NEAR(exact.high, 2, 1e-12);
  const auto unknown = ratio_of_means_95(std::vector{6.0}, std::vector{3.0, 3.0});
  EXPECT_NEAR(unknown.ratio, 2, 1e-12);
  EXPECT_TRUE(std::isnan(unknown.low) && std::isnan(unknown.high));
}

}  // namespace
}  // namespace nibble
