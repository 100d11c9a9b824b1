#include "eval/weight_error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace nibble {
namespace {

TensorView view_of(const std::vector<float>& weights, int64_t columns) {
  return {.type = *dtype_from_name("f32"),
          .rows = static_cast<int64_t>(weights.size()) / columns,
          .columns = columns,
          .data = reinterpret_cast<const std::byte*>(weights.data())};
}

TEST(WeightErrorOfAMatrix, WeighsColumnsByTheirFactors) {
  const std::vector<float> reference = {1, 2, 3, 4}, found = {1, 4, 6, 4};
  ThreadPool pool(2);
  const std::vector<double> factors = {10, 1};
  const WeightError error = weight_error(view_of(found, 2), view_of(reference, 2), factors, pool);
  EXPECT_DOUBLE_EQ(error.relative(), std::sqrt((4.0 + 9) / (1 + 4 + 9 + 16)));
  EXPECT_DOUBLE_EQ(error.weighted(), std::sqrt((4.0 + 90) / (10 + 4 + 90 + 16)));
}

TEST(WeightErrorOfAMatrix, IsNothingForTheSameAndHasNoWeightWithoutFactors) {
  const std::vector<float> same = {1, 2, 3, 4}, zero = {0, 0};
  ThreadPool pool(1);
  const WeightError error = weight_error(view_of(same, 2), view_of(same, 2), {}, pool);
  EXPECT_EQ(error.relative(), 0);
  EXPECT_TRUE(std::isnan(error.weighted()));
  EXPECT_EQ(weight_error(view_of(zero, 2), view_of(zero, 2), {}, pool).relative(), 0);
}

}  // namespace
}  // namespace nibble
