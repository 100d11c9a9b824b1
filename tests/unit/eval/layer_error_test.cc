#include "eval/layer_error.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace nibble {
namespace {

ModelConfig two_layers() {
  ModelConfig config;
  config.layers = 2;
  return config;
}

TEST(ComparedLayers, AverageOverTokensOfEveryBatch) {
  RecordedLayers reference(two_layers());
  ComparedLayers compared(two_layers(), reference);
  const auto show = [&](std::vector<float> expected, std::vector<float> found) {
    const auto rows = static_cast<int64_t>(expected.size()) / 2;
    reference.on_layer(1, {expected.data(), rows, 2});
    compared.on_layer(1, {found.data(), rows, 2});
  };
  show({3, 4, 0, 2}, {3, 4, 2, 0});  // the same; at a right angle, |a - r|^2 = 8, |r|^2 = 4
  show({1, 0}, {2, 0});              // twice as long
  EXPECT_DOUBLE_EQ(compared.cosine(1), (1.0 + 0.0 + 1.0) / 3);
  EXPECT_DOUBLE_EQ(compared.relative_error(1), std::sqrt((0.0 + 8.0 / 4 + 1.0) / 3));
}

TEST(RecordedLayers, AverageTheSquaresOfWhatAMatrixMet) {
  RecordedLayers recorded(two_layers());
  const std::array roles = {Role::kAttnQ, Role::kAttnV};
  const float first[] = {1, 2, 3, 4}, second[] = {5, 6};
  recorded.on_input(roles, 1, 0, {first, 2, 2});
  recorded.on_input(roles, 1, 0, {second, 1, 2});
  const std::vector<double> expected = {(1.0 + 9 + 25) / 3, (4.0 + 16 + 36) / 3};
  EXPECT_EQ(recorded.mean_squares(Role::kAttnQ, 1, 0), expected);
  EXPECT_EQ(recorded.mean_squares(Role::kAttnV, 1, 0), expected);
  EXPECT_TRUE(recorded.mean_squares(Role::kAttnV, 0, 0).empty());
  EXPECT_TRUE(recorded.mean_squares(Role::kAttnK, 1, 0).empty());
}

TEST(RecordedLayers, KeepExpertsApart) {
  RecordedLayers recorded(two_layers());
  const std::array roles = {Role::kFfnUpExperts};
  const float x[] = {2, 3};
  recorded.on_input(roles, 0, 3, {x, 1, 2});
  EXPECT_EQ(recorded.mean_squares(Role::kFfnUpExperts, 0, 3), (std::vector<double>{4, 9}));
  EXPECT_TRUE(recorded.mean_squares(Role::kFfnUpExperts, 0, 2).empty());
  EXPECT_TRUE(recorded.mean_squares(Role::kFfnUpExperts, 0, 4).empty());
}

}  // namespace
}  // namespace nibble
