#include "calib/activation_statistics.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "support/random.h"

namespace nibble {
namespace {

constexpr std::array kInputs = {Role::kAttnQ, Role::kAttnK, Role::kAttnV};
constexpr std::array kExperts = {Role::kFfnUpExperts};

ModelConfig config() {
  ModelConfig result;
  result.layers = 3;
  result.experts = 2;
  return result;
}

class ActivationStatisticsTest : public testing::Test {
 protected:
  ObservedRows rows(const std::vector<float>& x, int64_t columns) const {
    return {x.data(), static_cast<int64_t>(x.size()) / columns, columns};
  }

  const ModelConfig config_ = config();
  ThreadPool pool_{2};
};

TEST_F(ActivationStatisticsTest, AddsUpSquaresOfColumnsAndCountsRows) {
  ActivationStatistics statistics(config_, {}, pool_);
  statistics.on_input(kInputs, 1, 0, rows({1, 2, 3, 4}, 2));
  statistics.on_input(kInputs, 1, 0, rows({5, 6}, 2));
  ASSERT_EQ(statistics.inputs().size(), 1u);
  const InputStatistics& input = statistics.inputs().front();
  EXPECT_EQ(input.roles, (std::vector<Role>{kInputs.begin(), kInputs.end()}));
  EXPECT_EQ(input.layer, 1);
  EXPECT_EQ(input.sums, (std::vector<double>{1 + 9 + 25, 4 + 16 + 36}));
  EXPECT_EQ(input.counts, (std::vector<double>{3}));
  EXPECT_TRUE(input.moments.front().empty());
}

TEST_F(ActivationStatisticsTest, KeepsExpertsApart) {
  ActivationStatistics statistics(config_, {}, pool_);
  statistics.on_input(kExperts, 0, 1, rows({2, 3}, 2));
  const InputStatistics& input = statistics.inputs().front();
  EXPECT_EQ(input.sums, (std::vector<double>{0, 0, 4, 9}));
  EXPECT_EQ(input.counts, (std::vector<double>{0, 1}));
}

TEST_F(ActivationStatisticsTest, AddsUpProductsOfAllPairsOfColumns) {
  constexpr int64_t kColumns = 96;
  const auto x = random_floats(7 * kColumns, 2.0f, 3), more = random_floats(kColumns, 1.0f, 4);
  ActivationStatistics statistics(config_, {1, 2}, pool_);
  statistics.on_input(kInputs, 1, 0, rows(x, kColumns));
  statistics.on_input(kInputs, 1, 0, rows(more, kColumns));
  const auto& moments = statistics.inputs().front().moments.front();
  ASSERT_EQ(moments.size(), triangle_size(kColumns));
  for (size_t i = 0; i < kColumns; ++i) {
    for (size_t k = 0; k <= i; ++k) {
      double expected = static_cast<double>(more[i]) * more[k];
      for (size_t t = 0; t < x.size(); t += kColumns)
        expected += static_cast<double>(x[t + i]) * x[t + k];
      ASSERT_NEAR(moments[triangle_size(static_cast<int64_t>(i)) + k], expected, 1e-4)
          << i << " " << k;
    }
  }
}

// Against double throughout, relative to what a pair of columns could have at most. Sums in float
// over all of the rows would be off by 1e-5 here.
TEST_F(ActivationStatisticsTest, MomentsOfALongTextAreAsExactAsFloatsCanSay) {
  constexpr int64_t kColumns = 32, kRows = 512, kBatches = 250;
  ActivationStatistics statistics(config_, {0, 1}, pool_);
  std::vector<double> expected(kColumns * kColumns);
  for (uint32_t batch = 0; batch < kBatches; ++batch) {
    auto x = random_floats(kRows * kColumns, 1.0f, batch);
    for (size_t i = 0; i < x.size(); i += kColumns) x[i] = 100 + x[i];  // an outlier as models have
    for (size_t t = 0; t < x.size(); t += kColumns) {
      for (size_t i = 0; i < kColumns; ++i) {
        for (size_t k = 0; k <= i; ++k)
          expected[i * kColumns + k] += static_cast<double>(x[t + i]) * x[t + k];
      }
    }
    statistics.on_input(kInputs, 0, 0, rows(x, kColumns));
  }
  const auto& moments = statistics.inputs().front().moments.front();
  for (size_t i = 0; i < kColumns; ++i) {
    for (size_t k = 0; k <= i; ++k) {
      const double most = std::sqrt(expected[i * kColumns + i] * expected[k * kColumns + k]);
      ASSERT_NEAR(moments[triangle_size(static_cast<int64_t>(i)) + k] / most,
                  expected[i * kColumns + k] / most, 1e-7)
          << i << " " << k;
    }
  }
}

TEST_F(ActivationStatisticsTest, GoesOnFromWhatAnotherHasMeasuredToTheSameBits) {
  const auto x = random_floats(5 * 96, 2.0f, 3), more = random_floats(7 * 96, 1.0f, 4);
  ActivationStatistics whole(config_, {0, 2}, pool_), first(config_, {0, 2}, pool_);
  for (ActivationStatistics* statistics : {&whole, &first}) {
    statistics->on_input(kInputs, 1, 0, rows(x, 96));
    statistics->on_input(kExperts, 0, 1, rows(more, 96));
  }
  ActivationStatistics second(config_, {0, 2}, pool_, first.inputs());
  for (ActivationStatistics* statistics : {&whole, &second}) {
    statistics->on_input(kInputs, 1, 0, rows(more, 96));
    statistics->on_input(kExperts, 0, 0, rows(x, 96));
    statistics->on_input(kInputs, 0, 0, rows(x, 96));
  }
  EXPECT_EQ(second.inputs(), whole.inputs());
}

TEST_F(ActivationStatisticsTest, MeasuresMomentsOfTheLayersAskedForAndOfRowsThatBlocksDivide) {
  const auto x = random_floats(96, 1.0f, 5);
  ActivationStatistics statistics(config_, {2, 3}, pool_);
  statistics.on_input(kInputs, 1, 0, rows(x, 96));
  statistics.on_input(kInputs, 2, 0, rows(x, 48));
  statistics.on_input(std::array{Role::kOutput}, 0, 0, rows(x, 32));  // as the last layer
  EXPECT_TRUE(statistics.inputs()[0].moments.front().empty());
  EXPECT_TRUE(statistics.inputs()[1].moments.front().empty());
  EXPECT_EQ(statistics.inputs()[2].moments.front().size(), triangle_size(32));
}

}  // namespace
}  // namespace nibble
