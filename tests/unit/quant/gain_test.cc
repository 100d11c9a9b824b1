#include "quant/gain.h"

#include <gtest/gtest.h>

#include <cmath>

#include "codec/codec.h"
#include "codec/formats.h"
#include "support/random.h"

namespace nibble {
namespace {

constexpr int64_t kColumns = 1024;

struct Sums {
  double ww = 0, wq = 0, qq = 0;
};

class GainTest : public testing::Test {
 protected:
  std::vector<std::byte> encode(DType type) const {
    std::vector<std::byte> row(kColumns / block_weights(type) * block_bytes(type));
    codec(type).encode(weights_.data(), importance_.data(), kColumns, Effort::kDefault, row.data());
    return row;
  }
  Sums sums(DType type, const std::vector<std::byte>& row) const {
    std::vector<float> y(kColumns);
    codec(type).decode(row.data(), kColumns, y.data());
    Sums sums;
    for (size_t i = 0; i < y.size(); ++i) {
      const double w = importance_[i];
      sums.ww += w * weights_[i] * weights_[i];
      sums.wq += w * weights_[i] * y[i];
      sums.qq += w * y[i] * y[i];
    }
    return sums;
  }

  const std::vector<float> weights_ = gaussian(kColumns, 0.05f, 1);
  std::vector<float> importance_ = random_floats(kColumns, 0.5f, 2);
  GainTest() {
    for (float& v : importance_) v += 0.6f;
  }
};

TEST_F(GainTest, RoundingShrinksAndScalingRestores) {
  for (const DType type :
       {DType::kQ2_K, DType::kQ3_K, DType::kIQ2_XXS, DType::kIQ3_S, DType::kIQ1_S, DType::kIQ1_M}) {
    auto row = encode(type);
    const Sums before = sums(type, row);
    EXPECT_LT(before.wq, 0.99 * before.ww) << dtype_name(type);
    GainRestorer().restore(type, weights_.data(), importance_.data(), kColumns, row.data());
    const Sums after = sums(type, row);
    EXPECT_NEAR(after.wq / after.ww, 1, 1e-3) << dtype_name(type);
  }
}

TEST_F(GainTest, ChangesNoCode) {
  auto row = encode(DType::kQ4_0);
  const auto before = row;
  GainRestorer().restore(DType::kQ4_0, weights_.data(), nullptr, kColumns, row.data());
  EXPECT_NE(row, before);
  for (size_t i = 0; i < row.size(); ++i) {
    if (i % 18 < 2) continue;  // d
    ASSERT_EQ(row[i], before[i]) << i;
  }
}

// iq1_m has its f16 in the upper halves of four bytes, above the scales of groups.
TEST_F(GainTest, ScalesAnF16ThatIsCutUp) {
  auto row = encode(DType::kIQ1_M);
  std::vector<float> before(kColumns), after(kColumns);
  codec(DType::kIQ1_M).decode(row.data(), kColumns, before.data());
  scale_row(DType::kIQ1_M, 1.25, kColumns, row.data());
  codec(DType::kIQ1_M).decode(row.data(), kColumns, after.data());
  for (size_t i = 0; i < before.size(); ++i)
    ASSERT_NEAR(after[i], 1.25f * before[i], 1e-3f * std::fabs(before[i])) << i;
}

TEST_F(GainTest, IsOfTypesOfFewBitsWithF16Scales) {
  for (const DType type :
       {DType::kQ2_K, DType::kQ4_0, DType::kQ5_K, DType::kIQ1_S, DType::kIQ1_M, DType::kTQ1_0})
    EXPECT_TRUE(has_gain(type)) << dtype_name(type);
  for (const DType type : {DType::kQ6_K, DType::kQ8_0, DType::kMXFP4, DType::kNVFP4, DType::kF16})
    EXPECT_FALSE(has_gain(type)) << dtype_name(type);
}

TEST_F(GainTest, LeavesOutFactorsThatRoundingCannotMake) {
  auto row = encode(DType::kQ2_K);
  const auto before = row;
  for (const double factor : {0.9, 1.0, 2.5, std::numeric_limits<double>::quiet_NaN()})
    scale_row(DType::kQ2_K, factor, kColumns, row.data());
  EXPECT_EQ(row, before);
  std::vector<float> zeros(kColumns);
  GainRestorer().restore(DType::kQ2_K, zeros.data(), nullptr, kColumns, row.data());
  EXPECT_EQ(row, before);
}

}  // namespace
}  // namespace nibble
