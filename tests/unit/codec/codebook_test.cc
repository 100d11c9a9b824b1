// The shortcuts to the nearest code of the formats whose codes are not evenly spaced, and what
// formats with few values promise.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "codec/codebook16.h"
#include "codec/codec.h"
#include "codec/e2m1.h"
#include "simd/scalar.h"

namespace nibble {
namespace {

float distance_to_nearest(const int8_t (&values)[16], float x) {
  float distance = INFINITY;
  for (const int8_t value : values) distance = std::min(distance, std::fabs(x - value));
  return distance;
}

// Numbers that step through (-range, range) by 1/64, so that all middles are among them.
std::vector<float> steps_through(int range) {
  std::vector<float> steps;
  for (int i = -64 * range + 1; i < 64 * range; ++i) {
    steps.push_back(static_cast<float>(i) / 64.0f);
  }
  return steps;
}

TEST(Codebook16, FindsTheNearestValueInEveryLane) {
  for (const float x : steps_through(200)) {
    const float found = Codebook16::nearest<Scalar>(Scalar::set1(x)).v[3];
    const float index = Codebook16::index<Scalar>(Scalar::set1(x)).v[3];
    ASSERT_EQ(std::fabs(x - found), distance_to_nearest(Codebook16::kValues, x)) << x;
    ASSERT_EQ(found, Codebook16::nearest(x)) << x;
    ASSERT_EQ(found, static_cast<float>(Codebook16::kValues[static_cast<int>(index)])) << x;
  }
}

TEST(E2M1, FindsTheNearestValueInEveryLane) {
  for (const float x : steps_through(20)) {
    const auto index = E2M1::index<Scalar>(Scalar::set1(std::fabs(x)));
    const float found = std::copysign(E2M1::value<Scalar>(index).v[3], x);
    ASSERT_EQ(std::fabs(x - found), distance_to_nearest(E2M1::kValues, x)) << x;
    ASSERT_EQ(found, E2M1::nearest(x)) << x;
  }
}

TEST(E2M1, HasNoCodeForMinusZero) {
  const std::vector<float> x(16, -0.2f);
  EXPECT_EQ(E2M1::codes<Scalar>(x.data(), 1.0f).v[0], 0.0f);
}

class TernaryFormat : public testing::TestWithParam<DType> {};

TEST_P(TernaryFormat, KeepsTernaryWeightsToTheBit) {
  std::mt19937 engine(3);
  for (const uint32_t share : {2u, 8u, 200u}) {  // one weight in so many is not zero
    const float d = 0.0390625f * static_cast<float>(share + 1);
    std::vector<float> x(512);
    std::vector<float> importance(512);
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = engine() % share != 0 ? 0.0f : engine() % 2 == 0 ? d : -d;
      importance[i] = static_cast<float>(engine() % 1000) + 0.5f;
    }
    x[7] = d;
    for (const Effort effort : {Effort::kFast, Effort::kDefault, Effort::kBest}) {
      for (const float* w : std::vector<const float*>{nullptr, importance.data()}) {
        std::vector<std::byte> row(2 * block_bytes(GetParam()));
        codec(GetParam()).encode(x.data(), w, 512, effort, row.data());
        std::vector<float> y(512);
        codec(GetParam()).decode(row.data(), 512, y.data());
        EXPECT_EQ(y, x) << "one in " << share;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, TernaryFormat, testing::Values(DType::kTQ1_0, DType::kTQ2_0),
                         [](const auto& param) { return std::string(dtype_name(param.param)); });

// The scale codes that ggml reads in a way of its own.
TEST(NVFP4, ReadsCode127AsZeroAnd255As480) {
  std::vector<std::byte> block(block_bytes(DType::kNVFP4), std::byte{0x22});  // codes of 1
  block[0] = std::byte{127};
  block[1] = std::byte{255};
  block[2] = std::byte{126};
  block[3] = std::byte{128};
  std::vector<float> y(64);
  codec(DType::kNVFP4).decode(block.data(), 64, y.data());
  EXPECT_EQ(y[0], 0.0f);
  EXPECT_EQ(y[16], 480.0f);
  EXPECT_EQ(y[32], 448.0f);
  EXPECT_EQ(y[48], 0.0f);
}

// Dot products scale vectors of codes; decode scales one at a time.
TEST(NVFP4, EveryScaleCodeIsTheSameInDotAndDecode) {
  std::vector<std::byte> row(64 * block_bytes(DType::kNVFP4), std::byte{0x22});
  for (size_t code = 0; code < 256; ++code) {
    row[code / 4 * block_bytes(DType::kNVFP4) + code % 4] = static_cast<std::byte>(code);
  }
  std::vector<float> y(4096);
  codec(DType::kNVFP4).decode(row.data(), 4096, y.data());
  std::vector<float> d(256), m(256);
  std::vector<uint8_t> q(4096);
  for (const Isa isa : available_isas()) {
    codec(DType::kNVFP4, isa).unpack(row.data(), 4096, {nullptr, q.data(), d.data(), m.data()});
    for (size_t code = 0; code < 256; ++code) {
      ASSERT_EQ(d[code] * static_cast<float>(q[16 * code]), y[16 * code])
          << isa_name(isa) << ", code " << code;
    }
  }
}

}  // namespace
}  // namespace nibble
