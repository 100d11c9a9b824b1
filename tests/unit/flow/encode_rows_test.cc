// Weights that a type cannot hold.
#include "flow/encode_rows.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "codec/codec.h"
#include "flow/memory_tensors.h"
#include "support/files.h"

namespace nibble {
namespace {

class EncodeRows : public testing::TestWithParam<DType> {
 protected:
  static std::vector<float> encoded(std::vector<float> x) {
    MemoryTensors source({{"blk.0.ffn_up.weight", DType::kF32, {{x.size(), 1, 1, 1}, 1}}});
    source.write(0, 0, std::as_bytes(std::span(x)));
    RowEncoder encoder;
    encoder.read(source, 0, 0, 1);
    const auto row = encoder.encode(GetParam(), {});
    codec(GetParam()).decode(row.data(), static_cast<int64_t>(x.size()), x.data());
    return x;
  }
  // 256 weights of 0.5, weight 100 as told. q1_0 has nothing but a mean for 128 weights, so that
  // there all are as told.
  static std::vector<float> row_with(float weight) {
    std::vector<float> x(256, GetParam() == DType::kQ1_0 ? weight : 0.5f);
    x[100] = weight;
    return x;
  }
  static float largest() {
    switch (GetParam()) {
      case DType::kF32:
        return std::numeric_limits<float>::max();
      case DType::kBF16:
        return 3.3895314e38f;  // 255/128 * 2^127
      case DType::kMXFP4:
        return 2.5521178e38f;  // 3 * 2^126
      case DType::kNVFP4:
        return 2688.0f;  // 6 * 448
      default:
        return 65504.0f;
    }
  }
};

TEST_P(EncodeRows, TheLargestWeightComesBackNear) {
  // From 3 bits on the largest error is iq3_xxs's, 0.141. The grids below give weights of which
  // seven neighbours are 0 no more than half (iq2_xxs: 0.480).
  const float tolerance = bits_per_weight(GetParam()) >= 3 ? 0.15f : 0.55f;
  for (const float weight : {largest(), -largest()}) {
    const auto y = encoded(row_with(weight));
    EXPECT_NEAR(y[100] / weight, 1.0f, tolerance);
    for (const float v : y) EXPECT_TRUE(std::isfinite(v));
  }
}

TEST_P(EncodeRows, WeightsBeyondTheLargestAreRefused) {
  if (GetParam() == DType::kF32) return;  // none is beyond
  const float beyond = std::nextafter(largest(), INFINITY);
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile,
                         {"blk.0.ffn_up.weight", "weight 100 is -" + fmt::to_string(beyond),
                          std::string(dtype_name(GetParam())), fmt::to_string(largest())},
                         [&] {
                           std::vector<float> x(256, 0.5f);
                           x[100] = -beyond;
                           encoded(x);
                         }));
}

INSTANTIATE_TEST_SUITE_P(Formats, EncodeRows, testing::ValuesIn(all_dtypes()),
                         [](const auto& param) { return std::string(dtype_name(param.param)); });

}  // namespace
}  // namespace nibble
