// Weights that a type cannot hold.
#include "flow/encode_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "codec/codec.h"
#include "support/files.h"

namespace nibble {
namespace {

// One f32 row of 256 weights, weight 100 of them as told.
class OneRow final : public TensorSource {
 public:
  explicit OneRow(float weight) : x_(256, 0.5f) { x_[100] = weight; }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  void read_rows(size_t, uint64_t, uint64_t, std::span<std::byte> out) const override {
    std::memcpy(out.data(), x_.data(), out.size());
  }
  std::span<const std::byte> view(size_t) const override { return {}; }

 private:
  std::vector<float> x_;
  std::vector<TensorInfo> tensors_ = {{"blk.0.ffn_up.weight", DType::kF32, {{256, 1, 1, 1}}}};
};

class EncodeRows : public testing::TestWithParam<DType> {
 protected:
  std::vector<float> encoded(float weight) const {
    const OneRow source(weight);
    RowEncoder encoder;
    encoder.read(source, 0, 0, 1);
    const auto row = encoder.encode(GetParam(), {});
    std::vector<float> y(256);
    codec(GetParam()).decode(row.data(), 256, y.data());
    return y;
  }
};

TEST_P(EncodeRows, WeightsAreFiniteOrRefused) {
  for (const float weight : {65504.0f, -65504.0f}) {
    for (const float y : encoded(weight)) EXPECT_TRUE(std::isfinite(y));
  }
  const DType type = GetParam();
  if (type == DType::kF32 || type == DType::kBF16 || type == DType::kMXFP4) {
    for (const float y : encoded(1e30f)) EXPECT_TRUE(std::isfinite(y));
    return;
  }
  EXPECT_TRUE(fails_with(
      ErrorCode::kInvalidFile,
      {"blk.0.ffn_up.weight", "weight 100", "1e+30", std::string(dtype_name(type)), "65504"},
      [&] { encoded(1e30f); }));
}

INSTANTIATE_TEST_SUITE_P(Formats, EncodeRows, testing::ValuesIn(all_dtypes()),
                         [](const auto& param) { return std::string(dtype_name(param.param)); });

}  // namespace
}  // namespace nibble
