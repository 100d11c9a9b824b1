// The ways of rounding activations against their formulas in double precision.
#include "kernel/rounding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "codec/formats.h"
#include "kernel/matmul.h"
#include "support/random.h"

namespace nibble {
namespace {

struct Rounded {
  std::vector<int8_t> q;
  std::vector<float> d, s;
};

Rounded rounded(Rounding rounding, const std::vector<float>& x) {
  const size_t padded = (x.size() + 255) / 256 * 256;
  Rounded to = {std::vector<int8_t>(padded, 99), std::vector<float>(padded / 32, 99.0f),
                std::vector<float>(padded / 16, 99.0f)};
  round_row(rounding, x.data(), static_cast<int64_t>(x.size()), to.q.data(), to.d.data(),
            to.s.data());
  return to;
}

float at(const std::vector<float>& x, size_t i) { return i < x.size() ? x[i] : 0.0f; }

void expect_sums(const Rounded& row) {
  for (size_t g = 0; g < row.s.size(); ++g) {
    int sum = 0;
    for (size_t i = 16 * g; i < 16 * g + 16; ++i) sum += row.q[i];
    ASSERT_EQ(row.s[g], row.d[g / 2] * static_cast<float>(sum));
  }
}

// What is close to a half may go either way.
void expect_nearest(double value, int8_t q) { ASSERT_LE(std::abs(value - q), 0.5001) << value; }

TEST(Rounding, OfLlamaCppGivesTheLargestOf256MinusHundredTwentySeven) {
  for (const size_t n : {256u, 512u, 700u}) {
    const auto x = random_floats(n, 5.0f, 1);
    const Rounded row = rounded(Rounding::kGroupsOf256, x);
    for (size_t begin = 0; begin < row.q.size(); begin += 256) {
      double largest = 0;
      for (size_t i = begin; i < begin + 256; ++i)
        if (std::abs(at(x, i)) > std::abs(largest)) largest = at(x, i);
      for (size_t g = begin / 32; g < begin / 32 + 8; ++g)
        ASSERT_NEAR(row.d[g], largest / -127, 1e-6 * std::abs(largest));
      for (size_t i = begin; i < begin + 256; ++i) {
        expect_nearest(at(x, i) * -127 / largest, row.q[i]);
        if (at(x, i) == largest) {
          ASSERT_EQ(row.q[i], -127);
        }
      }
    }
    expect_sums(row);
  }
}

TEST(Rounding, OfLlamaCppKeepsElevenBitsOfTheScaleOf32) {
  for (const size_t n : {32u, 256u, 288u}) {
    const auto x = random_floats(n, 5.0f, 2);
    const Rounded row = rounded(Rounding::kF16GroupsOf32, x);
    for (size_t g = 0; g < row.d.size(); ++g) {
      double largest = 0;
      for (size_t i = 32 * g; i < 32 * g + 32; ++i)
        largest = std::max<double>(largest, std::abs(at(x, i)));
      int exponent = 0;
      std::frexp(largest / 127, &exponent);
      const double step = std::ldexp(1.0, exponent - 11);  // of normal numbers of f16
      ASSERT_EQ(std::fmod(row.d[g], step), 0.0);
      ASSERT_NEAR(row.d[g], largest / 127, 0.5001 * step);
      for (size_t i = 32 * g; i < 32 * g + 32; ++i)
        expect_nearest(largest == 0 ? 0 : at(x, i) * 127 / largest, row.q[i]);
    }
    expect_sums(row);
  }
}

TEST(Rounding, OfNothingIsNothing) {
  for (const Rounding rounding :
       {Rounding::kGroupsOf32, Rounding::kF16GroupsOf32, Rounding::kGroupsOf256}) {
    const Rounded row = rounded(rounding, std::vector<float>(300, 0.0f));
    EXPECT_EQ(std::count(row.q.begin(), row.q.end(), 0), 512);
    EXPECT_EQ(std::count(row.d.begin(), row.d.end(), 0.0f), 16);
    EXPECT_EQ(std::count(row.s.begin(), row.s.end(), 0.0f), 32);
  }
}

TEST(Rounding, FollowsTheTypeOfTheWeights) {
  EXPECT_EQ(rounding_for(DType::kQ6_K, Activations::kNibble), Rounding::kGroupsOf32);
  for (const DType type : {DType::kQ6_K, DType::kIQ4_XS, DType::kIQ1_S, DType::kTQ2_0})
    EXPECT_EQ(rounding_for(type, Activations::kLlamaCpp), Rounding::kGroupsOf256);
  for (const DType type : {DType::kQ8_0, DType::kQ4_0, DType::kIQ4_NL, DType::kMXFP4})
    EXPECT_EQ(rounding_for(type, Activations::kLlamaCpp), Rounding::kF16GroupsOf32);
}

// One batch, multiplied by matrices of types whose rules differ, as rows and as panels.
TEST(Rounding, OfABatchIsThatOfEachMatrix) {
  ThreadPool pool(1);
  for (const int64_t count : {1, 7}) {
    const auto x = random_floats(static_cast<size_t>(count) * 256, 5.0f, 3);
    ActivationBatch batch(Activations::kLlamaCpp);
    batch.assign(x.data(), count, 256);
    for (const DType type : {DType::kQ6_K, DType::kQ8_0, DType::kQ4_K}) {
      const Rounding rounding = rounding_for(type, Activations::kLlamaCpp);
      const ActivationRow& row = batch.prepared(type, pool).front();
      const ActivationTile& tile = batch.tiles(type, pool).front();
      const Rounded expected = rounded(rounding, {x.begin(), x.begin() + 256});
      EXPECT_TRUE(std::equal(expected.q.begin(), expected.q.end(), row.q));
      EXPECT_TRUE(std::equal(expected.d.begin(), expected.d.end(), row.d));
      EXPECT_TRUE(std::equal(expected.s.begin(), expected.s.end(), row.s));
      for (int g = 0; g < 8; ++g)
        EXPECT_EQ(tile.d[g * tile.width], expected.d[static_cast<size_t>(g)]);
    }
  }
}

}  // namespace
}  // namespace nibble
