#include "calib/activation_statistics.h"

#include <gtest/gtest.h>

#include <array>

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
  statistics.end_chunk();
  ASSERT_EQ(statistics.inputs().size(), 1u);
  const InputStatistics& input = statistics.inputs().front();
  EXPECT_EQ(input.roles, (std::vector<Role>{kInputs.begin(), kInputs.end()}));
  EXPECT_EQ(input.layer, 1);
  EXPECT_EQ(input.sums, (std::vector<float>{1 + 9 + 25, 4 + 16 + 36}));
  EXPECT_EQ(input.counts, (std::vector<float>{3}));
  EXPECT_TRUE(input.moments.front().empty());
}

TEST_F(ActivationStatisticsTest, KeepsExpertsApart) {
  ActivationStatistics statistics(config_, {}, pool_);
  statistics.on_input(kExperts, 0, 1, rows({2, 3}, 2));
  statistics.end_chunk();
  const InputStatistics& input = statistics.inputs().front();
  EXPECT_EQ(input.sums, (std::vector<float>{0, 0, 4, 9}));
  EXPECT_EQ(input.counts, (std::vector<float>{0, 1}));
}

TEST_F(ActivationStatisticsTest, AddsUpProductsOfAllPairsOfColumns) {
  constexpr int64_t kColumns = 96;
  const auto x = random_floats(7 * kColumns, 2.0f, 3), more = random_floats(kColumns, 1.0f, 4);
  ActivationStatistics statistics(config_, {1, 2}, pool_);
  statistics.on_input(kInputs, 1, 0, rows(x, kColumns));
  statistics.on_input(kInputs, 1, 0, rows(more, kColumns));
  const auto& moments = statistics.inputs().front().moments.front();
  ASSERT_EQ(moments.size(), static_cast<size_t>(kColumns * kColumns));
  for (size_t i = 0; i < kColumns; ++i) {
    for (size_t k = 0; k <= i; ++k) {
      double expected = static_cast<double>(more[i]) * more[k];
      for (size_t t = 0; t < x.size(); t += kColumns)
        expected += static_cast<double>(x[t + i]) * x[t + k];
      ASSERT_NEAR(moments[i * kColumns + k], expected, 1e-4) << i << " " << k;
    }
  }
}

TEST_F(ActivationStatisticsTest, MeasuresMomentsOfTheLayersAskedForAndOfRowsThatBlocksDivide) {
  const auto x = random_floats(96, 1.0f, 5);
  ActivationStatistics statistics(config_, {2, 3}, pool_);
  statistics.on_input(kInputs, 1, 0, rows(x, 96));
  statistics.on_input(kInputs, 2, 0, rows(x, 48));
  statistics.on_input(std::array{Role::kOutput}, 0, 0, rows(x, 32));  // as the last layer
  EXPECT_TRUE(statistics.inputs()[0].moments.front().empty());
  EXPECT_TRUE(statistics.inputs()[1].moments.front().empty());
  EXPECT_EQ(statistics.inputs()[2].moments.front().size(), 32u * 32);
}

}  // namespace
}  // namespace nibble
