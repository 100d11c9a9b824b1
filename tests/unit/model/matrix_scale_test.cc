// Scales of whole matrices beside blocks of nvfp4: what Transformers answers to the float weights
// is what we answer to blocks and scales.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "codec/formats.h"
#include "support/checkpoint.h"
#include "support/encoded.h"
#include "support/npy.h"

namespace nibble {
namespace {

const std::filesystem::path kFixtures = repository_path("tests/golden/arch");

// A model with one more tensor, a vector of a value.
class WithTensor final : public TensorSource {
 public:
  WithTensor(const TensorSource& source, const std::string& name, uint64_t size, float value)
      : source_(source), tensors_(source.tensors()), value_(value) {
    tensors_.push_back({name, DType::kF32, {{size, 1, 1, 1}, 1}});
  }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  std::span<const std::byte> view(size_t) const override { return {}; }
  void read_rows(size_t tensor, uint64_t first, uint64_t count,
                 std::span<std::byte> out) const override {
    if (tensor + 1 < tensors_.size()) return source_.read_rows(tensor, first, count, out);
    for (size_t at = 0; at < out.size(); at += sizeof value_)
      std::memcpy(out.data() + at, &value_, sizeof value_);
  }

 private:
  const TensorSource& source_;
  std::vector<TensorInfo> tensors_;
  float value_;
};

class MatrixScaleTest : public testing::TestWithParam<const char*> {
 protected:
  MatrixScaleTest() {
    directory_.keep_blocks([](std::string_view) { return true; });
    tensors_ = std::make_unique<Renamed>(directory_, floats_.arch, floats_.options());
    for (uint32_t i = 0; i < 32; ++i) ids_.push_back((7 * i * i + 3 * i + 1) % 96);
  }
  std::vector<float> logits(const TensorSource& source) const {
    check_tensors(source, floats_.config, "test");
    return logits_by(floats_.config, Weights(source, floats_.config), ids_, ids_.size(), 2,
                     DType::kF32);
  }

  const Checkpoint floats_{kFixtures / GetParam()};
  HfDirectory directory_{kFixtures / GetParam()};
  std::unique_ptr<Renamed> tensors_;
  std::vector<uint32_t> ids_;
};

TEST_P(MatrixScaleTest, HasTheLogitsOfTransformers) {
  const Encoded decoded(*tensors_, DType::kF32, true);  // blocks would multiply 8-bit activations
  const auto found = logits(decoded), expected = read_npy(kFixtures / GetParam() / "logits.npy");
  double squares = 0;
  for (const float x : expected) squares += static_cast<double>(x) * x;
  const double mean = std::sqrt(squares / static_cast<double>(expected.size()));
  EXPECT_LT(largest_difference(found, expected) / mean, 1e-4);  // as of other architectures
}

TEST_P(MatrixScaleTest, StandsBesideEveryKeptMatrix) {
  size_t kept = 0, scales = 0;
  for (const TensorInfo& tensor : tensors_->tensors()) {
    const TensorPlace place = *place_from_gguf_name(tensor.name);
    if (tensor.type == DType::kNVFP4) ++kept;
    if (!place.is_scale()) continue;
    ++scales;
    EXPECT_EQ(tensor.shape.count(), role_row(place.role).is_stacked() ? 3u : 1u) << tensor.name;
  }
  EXPECT_EQ(scales, kept);
  EXPECT_EQ(kept, GetParam() == std::string("llama_nvfp4") ? 15u : 7u);
}

TEST_P(MatrixScaleTest, IgnoresWhatIsSaidOfInputs) {
  const WithTensor more(*tensors_, "blk.0.attn_k.input_scale", 1, 1e9f);
  EXPECT_TRUE(logits(more) == logits(*tensors_));
}

TEST_P(MatrixScaleTest, RefusesScalesThatBelongToNothing) {
  const std::string name = "blk.0.attn_qkv.scale";
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {name, "blk.0.attn_qkv.weight"},
                         [&] { logits(WithTensor(*tensors_, name, 1, 1.0f)); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"blk.0.attn_norm.scale", "no place"},
                         [&] { logits(WithTensor(*tensors_, "blk.0.attn_norm.scale", 1, 1.0f)); }));
}

TEST_P(MatrixScaleTest, RefusesAnotherNumberOfScales) {
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"blk.0.attn_v.scale", "2 columns"}, [&] {
    logits(WithTensor(floats_.tensors, "blk.0.attn_v.scale", 2, 1.0f));
  }));
}

TEST_P(MatrixScaleTest, ScalesAnyMatrix) {
  const auto with_scale = [&](float value) {
    return logits(WithTensor(floats_.tensors, "blk.0.attn_output.scale", 1, value));
  };
  EXPECT_TRUE(with_scale(1.0f) == logits(floats_.tensors));
  EXPECT_FALSE(with_scale(2.0f) == logits(floats_.tensors));
}

TEST_P(MatrixScaleTest, StaysWhenAMatrixIsExchanged) {
  Weights weights(*tensors_, floats_.config);
  const TensorView before = weights.of(Role::kAttnV);
  TensorView other = before;
  other.scale = 1.0f;
  const auto replaced = weights.exchange({Role::kAttnV}, {other});
  EXPECT_NE(before.scale, 1.0f);
  EXPECT_EQ(replaced.front().scale, before.scale);
  EXPECT_EQ(weights.of(Role::kAttnV).scale, before.scale);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, MatrixScaleTest, testing::Values("llama_nvfp4", "mixtral_nvfp4"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace nibble
