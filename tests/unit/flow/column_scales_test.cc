// Scales of columns, folded into the tensors before: the model computes the same.
#include "flow/column_scales.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "infer/session.h"
#include "model/config.h"
#include "model/weights.h"
#include "nibble/calibrate.h"
#include "nibble/error.h"
#include "nibble/verify.h"
#include "support/files.h"
#include "support/random.h"

namespace nibble {
namespace {

std::vector<float> logits_of(const ModelSource& source) {
  const ModelConfig config = config_from_metadata(source.metadata);
  ThreadPool pool(2);
  const Weights weights(source.tensors(), config);
  Session session(config, weights, pool, 32, DType::kF32);
  std::vector<uint32_t> tokens;
  for (uint32_t i = 0; i < 24; ++i) tokens.push_back(1 + 37 * i);
  const auto logits = session.feed(tokens);
  return {logits.begin(), logits.end()};
}

// Of every input that can be scaled, by factors between a third and 3.
ColumnScales random_scales(const ModelSource& source) {
  ColumnScales scales;
  uint32_t seed = 1;
  for (const ScalableInput& input : scalable_inputs(source)) {
    const auto& tensors = source.tensors().tensors();
    const TensorInfo& producer = tensors[input.producer];
    const bool is_norm = producer.shape.rank == 1;
    const uint64_t values = is_norm ? producer.shape.columns() : producer.shape.rows();
    std::vector<float> factors = random_floats(values, 1.0f, seed++), columns, inverse;
    for (float& factor : factors) factor = std::exp2(1.5f * factor);
    for (const float factor : factors) inverse.push_back(1 / factor);
    const uint64_t width = tensors[input.matrices.front()].shape.columns();
    for (uint64_t c = 0; c < width; ++c) {
      const uint64_t head = input.head_columns == 0 ? 0 : c / input.head_columns;
      columns.push_back(
          input.head_columns == 0
              ? factors[c]
              : factors[head / input.repeats * input.head_columns + c % input.head_columns]);
    }
    for (const size_t tensor : input.matrices) scales.of_tensors[tensor].columns = columns;
    auto& of_producer = scales.of_tensors[input.producer];
    (is_norm ? of_producer.columns : of_producer.rows) = inverse;
    scales.inputs.push_back({input.matrices, columns, 0.5, 1});
  }
  return scales;
}

TEST(ColumnScales, FourInputsOfEachLayerCanBeScaled) {
  const ModelSource source = open_model(kLab7m);
  const auto layers = source.metadata.require_uint("llama.block_count");
  EXPECT_EQ(scalable_inputs(source).size(), 4 * layers);
}

TEST(ColumnScales, TheModelComputesTheSame) {
  ModelSource source = open_model(kLab7m);
  const auto before = logits_of(source);
  EncodingRules rules;
  rules.importance = TensorImportance({}, source.tensors().tensors());
  ColumnScales scales = random_scales(source);
  const auto of_tensors = scales.of_tensors;
  scales.inputs.clear();  // there is no importance to change
  apply_column_scales(scales, source, rules);
  const auto after = logits_of(source);
  float largest = 0;
  for (const float logit : before) largest = std::max(largest, std::fabs(logit));
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) ASSERT_NEAR(after[i], before[i], 2e-4f * largest) << i;

  // And not because nothing was scaled.
  const auto& [tensor, of_tensor] = *of_tensors.begin();
  EXPECT_EQ(source.tensors().tensors()[tensor].type, DType::kF32);
  EXPECT_FALSE(of_tensor.columns.empty() && of_tensor.rows.empty());
}

class ScaledFileTest : public testing::Test {
 protected:
  QuantizeOptions options() {
    const Model model(kLab7m);
    const auto text = read_file(repository_path("assets/lab-7m-text/calibration.txt"));
    CalibrateOptions calibration;
    calibration.context = 256;
    calibration.chunks = 20;
    calibrate(model, {{"a.txt", text}}, folder_ / "imatrix.gguf", calibration, {});
    QuantizeOptions options;
    options.imatrix = folder_ / "imatrix.gguf";
    options.effort = Effort::kFast;
    options.scaling = Scaling::kAwq;
    return options;
  }
  TemporaryFolder folder_;
};

TEST_F(ScaledFileTest, FilesAreVerifiedAgainstTheUnscaledSource) {
  const auto how = options();
  const auto result = quantize(kLab7m, {{"q4_0", folder_ / "out.gguf"}}, how);
  EXPECT_GT(result.scaled_inputs, 0u);
  VerifyOptions verifying;
  verifying.imatrix = how.imatrix;
  const auto verified = verify(folder_ / "out.gguf", kLab7m, verifying);
  EXPECT_TRUE(verified.problems.empty());
  EXPECT_EQ(verified.bytes_compared, verified.bytes);
}

TEST_F(ScaledFileTest, OneTypeAtATimeAndNotWithoutImportance) {
  auto how = options();
  EXPECT_THROW(quantize(kLab7m, {{"q4_0", folder_ / "a.gguf"}, {"q8_0", folder_ / "b.gguf"}}, how),
               Error);
  how.imatrix.clear();
  EXPECT_THROW(quantize(kLab7m, {{"q4_0", folder_ / "a.gguf"}}, how), Error);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a.gguf"));
}

}  // namespace
}  // namespace nibble
