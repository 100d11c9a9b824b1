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

}  // namespace
}  // namespace nibble
