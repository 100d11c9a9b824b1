// What is predicted beside the buffers that are really there.
#include "flow/memory_model.h"

#include <gtest/gtest.h>

#include "flow/model.h"
#include "infer/session.h"
#include "model/kv_cache.h"
#include "support/files.h"
#include "support/mixtral.h"

namespace nibble {
namespace {

// A model that is quantized in memory and loaded.
class LoadedModel {
 public:
  LoadedModel(const std::filesystem::path& path, const std::string& type)
      : model_(path, options_for(type)) {}

  const Model::Parts& parts() const { return model_.parts(); }
  const std::vector<TensorInfo>& tensors() const {
    return parts().quantized ? parts().quantized->tensors() : parts().source.tensors().tensors();
  }
  // After a batch of so many tokens.
  uint64_t buffer_bytes(int64_t tokens) const {
    KvCache cache(parts().config, tokens, DType::kF16);
    Forward forward(parts().config, *parts().weights, *parts().pool);
    const std::vector<uint32_t> ids(static_cast<size_t>(tokens), 1);
    forward.run(ids, cache, 1);
    return forward.buffer_bytes();
  }

 private:
  static LoadOptions options_for(const std::string& type) {
    LoadOptions options;
    options.type = type;
    options.run.threads = 1;
    return options;
  }
  Model model_;
};

class MemoryOfType : public testing::TestWithParam<const char*> {};

TEST_P(MemoryOfType, HasTheBuffersOfABatch) {
  const LoadedModel model(kLab7m, GetParam());
  for (const int64_t tokens : {24, 512}) {
    EXPECT_EQ(forward_bytes(model.parts().config, model.tensors(), tokens),
              model.buffer_bytes(tokens))
        << tokens;
  }
}

TEST_P(MemoryOfType, HasTheInterleavedCopy) {
  const LoadedModel model(kLab7m, GetParam());
  uint64_t in_file = 0, norms = 0;
  for (const TensorInfo& tensor : model.tensors()) {
    if (tensor.shape.rank == 1) norms += 4 * tensor.shape.count();
    if (tensor.shape.rank > 1 && tensor.name != "token_embd.weight") in_file += tensor.bytes();
  }
  const uint64_t copy = model.parts().weights->interleaved_bytes();
  const uint64_t matrices = copy == 0 ? in_file : copy;
  EXPECT_EQ(weight_memory(model.tensors(), 0).running, matrices + norms);
}

INSTANTIATE_TEST_SUITE_P(Types, MemoryOfType,
                         testing::Values("", "q8_0", "q4_0", "q4_k_m", "iq4_xs", "q2_k"),
                         [](const auto& type) {
                           const std::string name = type.param;
                           return name.empty() ? "as_it_is" : name;
                         });

// Of each expert's tokens the last tile is padded, which adds a few columns.
TEST(MemoryOfExperts, HasTheBuffersOfABatch) {
  const TemporaryFolder folder;
  write_mixtral(folder.path(),
                {.hidden = 256, .ffn = 512, .layers = 1, .heads = 4, .experts = 4, .vocab = 4096});
  for (const char* name : {"tokenizer.json", "tokenizer_config.json"})
    std::filesystem::copy(kLab7m / name, folder / name);
  const LoadedModel model(folder.path(), "q8_0");
  const auto found = static_cast<double>(model.buffer_bytes(256));
  const auto expected =
      static_cast<double>(forward_bytes(model.parts().config, model.tensors(), 256));
  EXPECT_NEAR(expected / found, 1, 0.03);
}

TEST(MemoryOfCache, IsThatOfItsLayout) {
  const LoadedModel model(kLab7m, "");
  const ModelConfig& config = model.parts().config;
  EXPECT_EQ(kv_cache_bytes(config, 512, DType::kF16),
            512 * static_cast<uint64_t>(kv_bytes_per_position(config, DType::kF16)));
  // Positions come in sixteens.
  EXPECT_EQ(
      kv_cache_bytes(config, 17, {DType::kQ8_0, DType::kQ4_0}),
      32 * static_cast<uint64_t>(kv_bytes_per_position(config, {DType::kQ8_0, DType::kQ4_0})));
}

TEST(MemoryOfEmbedding, GrowsWithTheTokensUpToTheWholeTensor) {
  const LoadedModel model(kLab7m, "");
  const auto running = [&](int64_t context) {
    return weight_memory(model.tensors(), context).running;
  };
  const uint64_t embedding = 4096 * 256 * 2;
  EXPECT_GT(running(4), running(0));
  EXPECT_GE(running(4), running(0) + 3 * (uint64_t{64} << 10));
  EXPECT_LE(running(4), running(0) + 5 * (uint64_t{64} << 10));
  EXPECT_NEAR(static_cast<double>(running(100000) - running(0)), embedding, 1);
}

TEST(PredictedMemory, AddsUp) {
  const LoadedModel model(kLab7m, "q4_0");
  const MemoryNeed need =
      predict_memory(model.parts().config, model.tensors(), 512, DType::kF16, 1, 1000);
  EXPECT_EQ(need.peak, need.program + need.weights + need.kv_cache + need.working);
  EXPECT_GE(need.program, 1000u);
  EXPECT_GE(need.working, forward_bytes(model.parts().config, model.tensors(), 512));
  const MemoryNeed longer =
      predict_memory(model.parts().config, model.tensors(), 4096, DType::kF16, 1, 1000);
  EXPECT_EQ(longer.working, need.working);  // a prompt goes in batches of 512
  EXPECT_EQ(longer.kv_cache, 8 * need.kv_cache);
}

}  // namespace
}  // namespace nibble
