// Multi-head latent attention: what files say of it, older ones too, and what the cache holds.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/forward.h"
#include "model/tensor_shapes.h"
#include "support/checkpoint.h"
#include "support/encoded.h"
#include "support/npy.h"

namespace nibble {
namespace {

const std::filesystem::path kFixture = repository_path("tests/golden/arch/deepseek_v3");

// The same model as llama.cpp's converter wrote it before it divided what makes keys and values.
class OlderFile final : public TensorSource {
 public:
  explicit OlderFile(const Checkpoint& model) : model_(model) {
    const auto& newer = model.tensors.tensors();
    for (size_t i = 0; i < newer.size(); ++i) {
      const Role role = place_from_gguf_name(newer[i].name)->role;
      if (role == Role::kAttnVB) continue;
      tensors_.push_back(newer[i]);
      origins_.push_back({&model.tensors, i});
      if (role == Role::kAttnKB) use_whole(place_from_gguf_name(newer[i].name)->layer);
    }
  }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  std::span<const std::byte> view(size_t) const override { return {}; }
  void read_rows(size_t tensor, uint64_t first, uint64_t count,
                 std::span<std::byte> out) const override {
    const Origin& origin = origins_[tensor];
    origin.source->read_rows(origin.tensor, first, count, out);
  }

 private:
  struct Origin {
    const TensorSource* source;
    size_t tensor;
  };
  // Instead of the tensor added last.
  void use_whole(uint64_t layer) {
    const auto& stored = model_.directory.tensors();
    const std::string name =
        "model.layers." + std::to_string(layer) + ".self_attn.kv_b_proj.weight";
    for (size_t i = 0; i < stored.size(); ++i) {
      if (stored[i].name != name) continue;
      tensors_.back() = stored[i];
      tensors_.back().name = gguf_name({Role::kAttnKvB, layer});
      origins_.back() = {&model_.directory, i};
    }
  }

  const Checkpoint& model_;
  std::vector<TensorInfo> tensors_;
  std::vector<Origin> origins_;
};

Metadata of_older_file(const Checkpoint& model) {
  Metadata metadata;
  for (const auto& [key, value] : model.metadata.entries()) {
    if (!key.ends_with("_mla")) metadata.set(key, value);
  }
  metadata.set("deepseek2.attention.head_count_kv", static_cast<uint32_t>(model.config.heads));
  metadata.set("deepseek2.attention.key_length", uint32_t{40});
  metadata.set("deepseek2.attention.value_length", uint32_t{32});
  return metadata;
}

std::vector<uint32_t> tokens() {
  std::vector<uint32_t> ids;
  for (uint32_t i = 0; i < 32; ++i) ids.push_back((7 * i * i + 3 * i + 1) % 96);
  return ids;
}

TEST(LatentAttention, OlderFilesAreRunAlike) {
  const Checkpoint model(kFixture);
  const OlderFile older(model);
  const ModelConfig config = config_from_metadata(of_older_file(model));
  check_tensors(older, config, "older");
  const Encoded newer_floats(model.tensors, DType::kF32, true),
      older_floats(older, DType::kF32, true);
  const Weights newer(newer_floats, model.config), weights(older_floats, config);
  const auto expected = logits_by(model.config, newer, tokens(), 32, 2, DType::kF32);
  const auto found = logits_by(config, weights, tokens(), 32, 2, DType::kF32);
  ASSERT_EQ(found.size(), expected.size());
  EXPECT_EQ(largest_difference(found, expected), 0.0);
}

TEST(LatentAttention, ThePartsOfOlderFilesAreNotInterleaved) {
  const Checkpoint model(kFixture);
  const OlderFile older(model);
  const Encoded source(older, DType::kQ8_0, false);
  Weights weights(source, model.config);
  const Encoded decoded(older, DType::kQ8_0, true);
  const Weights floats(decoded, model.config);
  ThreadPool pool(2);
  weights.interleave(source, pool);
  EXPECT_EQ(weights.of(Role::kAttnVB, 1, 3).interleaved, nullptr);
  EXPECT_NE(weights.of(Role::kAttnQB, 1).interleaved, nullptr);
  EXPECT_EQ(weights.interleaved().size(), weights.interleaved_bytes());
}

TEST(LatentAttention, TheCacheHoldsLatentsAndNoHeads) {
  const Checkpoint model(kFixture);
  // 8 dimensions that turn and a latent of 64, as key and as value, in 2 layers.
  EXPECT_EQ(kv_bytes_per_position(model.config, DType::kF16), 2 * 2 * (8 + 64) * 2);
}

TEST(LatentAttention, IsWholeOrDivided) {
  const Checkpoint model(kFixture);
  class Both final : public TensorSource {
   public:
    explicit Both(const Checkpoint& checkpoint) : tensors_(checkpoint.tensors.tensors()) {
      tensors_.push_back({gguf_name({Role::kAttnKvB, 1}), DType::kBF16, {{64, 256, 1, 1}, 2}});
    }
    const std::vector<TensorInfo>& tensors() const override { return tensors_; }
    std::span<const std::byte> view(size_t) const override { return {}; }
    void read_rows(size_t, uint64_t, uint64_t, std::span<std::byte>) const override {}

   private:
    std::vector<TensorInfo> tensors_;
  };
  try {
    check_tensors(Both(model), model.config, "both");
    FAIL() << "it was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidFile);
    EXPECT_NE(std::string(error.what()).find("blk.1.attn_k_b.weight is there beside"),
              std::string::npos)
        << error.what();
  }
}

TEST(LatentAttention, NoMoreCanTurnThanAKeyHas) {
  const Checkpoint model(kFixture);
  Metadata metadata = model.metadata;
  metadata.set("deepseek2.attention.key_length_mla", uint32_t{8});
  EXPECT_THROW(config_from_metadata(metadata), Error);
}

// YaRN of DeepSeek: scores grow by the square of 1 + 0.1 ln(factor), what turns does not grow.
TEST(LatentAttention, ScoresGrowByYarn) {
  const Checkpoint model(kFixture);
  const double magnitude = 1 + 0.1 * std::log(4.0);
  EXPECT_NEAR(model.config.attention_scale, magnitude * magnitude / std::sqrt(40.0), 1e-6);
  EXPECT_EQ(model.config.rope_scaling.magnitude, 1.0f);
}

}  // namespace
}  // namespace nibble
