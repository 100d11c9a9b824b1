#include "eval/another_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace nibble {
namespace {

// Windows of stretches that have something in common.
class Texts {
 public:
  std::vector<double> next(size_t windows, size_t in_common, double common) {
    std::vector<double> values;
    double level = 0;
    for (size_t i = 0; i < windows; ++i) {
      if (i % in_common == 0) level = common * normal_(random_);
      values.push_back(1 + level + 0.1 * normal_(random_));
    }
    return values;
  }

 private:
  std::mt19937_64 random_{5};
  std::normal_distribution<double> normal_;
};

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double share_of_kept(size_t windows, size_t in_common, double common) {
  Texts texts;
  int kept = 0;
  constexpr int kRuns = 4000;
  for (int i = 0; i < kRuns; ++i) {
    const auto one = texts.next(windows, in_common, common);
    const auto other = texts.next(windows, in_common, common);
    kept += mean(other) <= bound_on_another_text(one, Side::kAbove);
  }
  return static_cast<double>(kept) / kRuns;
}

TEST(AnotherText, IsWithinTheBoundAsOftenAsPromised) {
  EXPECT_GE(share_of_kept(60, 1, 0), 0.972);
  EXPECT_GE(share_of_kept(60, 5, 0.1), 0.972);
  EXPECT_GE(share_of_kept(8, 1, 0), 0.972);
  EXPECT_GE(share_of_kept(2, 1, 0), 0.972);
}

// Stretches of books longer than a twelfth of the text are not told apart as well.
TEST(AnotherText, OfLongStretchesTheBoundStillHoldsMostly) {
  EXPECT_GE(share_of_kept(60, 10, 0.05), 0.93);
}

TEST(AnotherText, TheBoundIsNotWiderThanTheScatterWants) {
  Texts texts;
  double sum = 0;
  for (int i = 0; i < 1000; ++i) sum += bound_on_another_text(texts.next(60, 1, 0), Side::kAbove);
  // 1.96 * sqrt(2) * 0.1 / sqrt(60) = 0.0358, and more with so few degrees of freedom.
  EXPECT_GT(sum / 1000, 1.0358);
  EXPECT_LT(sum / 1000, 1.05);
}

TEST(AnotherText, BothSidesAreAlikeAndOneWindowSaysNothing) {
  const std::vector<double> values = {0.5, 0.7, 0.9};
  const double above = bound_on_another_text(values, Side::kAbove);
  EXPECT_NEAR(above + bound_on_another_text(values, Side::kBelow), 1.4, 1e-12);
  // 4.30265 * sqrt(2) * 0.2 / sqrt(3)
  EXPECT_NEAR(above, 0.7 + 0.702617, 1e-5);
  EXPECT_TRUE(std::isnan(bound_on_another_text({values.data(), 1}, Side::kAbove)));
}

}  // namespace
}  // namespace nibble
