// How fast is not tested: only that shapes of every kind can be run.
#include "flow/speed_model.h"

#include <gtest/gtest.h>

#include "codec/formats.h"
#include "model/archs.h"
#include "model/tensor_shapes.h"

namespace nibble {
namespace {

ModelConfig small_config() {
  ModelConfig config;
  config.arch = &kLlama;
  config.layers = 2;
  config.context_length = 512;
  config.hidden = 256;
  config.ffn = 512;
  config.heads = 8;
  config.kv_heads = 4;
  config.head_dim = 32;
  config.rope_dimensions = 32;
  return config;
}

class SpeedModelTest : public testing::Test {
 protected:
  // Seconds of a token and of a prompt.
  std::vector<double> seconds(const ModelConfig& config, DType type, KvTypes kv_types = DType::kF16,
                              int64_t position = 0) {
    SpeedModel model(config, 512, pool_);
    const auto tensors = tensors_of(config, {.vocab_size = 512, .type = type});
    return {model.generation_seconds(tensors, kv_types, position),
            model.prompt_seconds(tensors, 64)};
  }

  ThreadPool pool_{1};
};

TEST_F(SpeedModelTest, RunsMatricesOfEveryType) {
  for (const DType type : all_dtypes()) {
    for (const double each : seconds(small_config(), type)) EXPECT_GT(each, 0) << dtype_name(type);
  }
}

TEST_F(SpeedModelTest, RunsWidthsThatNoBlockDivides) {
  ModelConfig config = small_config();
  config.hidden = 288;
  config.ffn = 700;
  config.heads = 9;
  config.kv_heads = 3;
  for (const double each : seconds(config, DType::kF16)) EXPECT_GT(each, 0);
}

TEST_F(SpeedModelTest, RunsExperts) {
  ModelConfig config = small_config();
  config.experts = 8;
  config.expert_ffn = config.ffn;
  config.experts_used = 2;
  for (const double each : seconds(config, DType::kQ8_0)) EXPECT_GT(each, 0);
}

TEST_F(SpeedModelTest, RunsEveryCache) {
  for (const DType type : {DType::kF16, DType::kQ8_0, DType::kQ4_0}) {
    const auto at_start = seconds(small_config(), DType::kQ8_0, type)[0];
    EXPECT_GT(at_start, 0) << dtype_name(type);
    EXPECT_GT(seconds(small_config(), DType::kQ8_0, type, 1 << 20)[0], 0);
  }
}

}  // namespace
}  // namespace nibble
