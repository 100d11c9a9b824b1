// What a cache of keys and values loses by its type, and what it must not change.
#include "model/kv_cache.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/checkpoint.h"
#include "support/divergence.h"
#include "support/encoded.h"

namespace nibble {
namespace {

struct Measured {
  KvTypes types;
  double bound;  // of the divergence, natural logarithm, per token
};

class KvCacheOf : public testing::TestWithParam<Measured> {
 protected:
  static KvTypes types() { return GetParam().types; }
  // Logits of all tokens, `step` of them at a time.
  std::vector<float> logits(KvTypes types, std::span<const uint32_t> ids, size_t step,
                            int threads) const {
    return logits_by(checkpoint_.config, checkpoint_.weights, ids, step, threads, types);
  }

  Checkpoint checkpoint_{kLab7m};
  std::vector<uint32_t> ids_ = read_tokens(kLab7mTokens);
};

// Bounds are a third above what is measured, the same on every machine. (Over 6400 tokens it is
// about twice as much: docs/guides/performance.md.)
TEST_P(KvCacheOf, DivergesFromAnExactCacheAsMeasured) {
  const auto vocabulary = static_cast<size_t>(checkpoint_.weights.vocab_size());
  const auto exact = logits(DType::kF32, ids_, ids_.size(), 2);
  const double found = divergence(exact, logits(types(), ids_, ids_.size(), 2), vocabulary);
  RecordProperty("divergence", std::to_string(1e6 * found));
  EXPECT_LT(found, GetParam().bound);
  EXPECT_GT(found, GetParam().bound / 3);
}

TEST_P(KvCacheOf, GivesTheSameBitsHoweverTheTextIsCut) {
  const auto whole = logits(types(), ids_, ids_.size(), 1);
  for (const size_t step : {4u, 7u, 12u}) {
    const auto rest = ids_.size() % step;  // fewer than 4 tokens are multiplied in another order
    const auto text = std::span(ids_).first(ids_.size() - rest);
    const auto found = logits(types(), text, step, 2);
    EXPECT_EQ(found,
              std::vector<float>(whole.begin(), whole.begin() + static_cast<int64_t>(found.size())))
        << step << " tokens at a time";
  }
}

TEST_P(KvCacheOf, ForgetsWhatItIsRewoundOver) {
  ThreadPool pool(1);
  Forward forward(checkpoint_.config, checkpoint_.weights, pool);
  KvCache cache(checkpoint_.config, 40, types());
  const auto logits_after = [&](int64_t from, size_t until) {
    cache.set_length(from);
    const auto part =
        std::span(ids_).subspan(static_cast<size_t>(from), until - static_cast<size_t>(from));
    const auto found = forward.run(part, cache, 1);
    return std::vector<float>(found.begin(), found.end());
  };
  const auto first = logits_after(0, 24);
  logits_after(18, 40);
  EXPECT_EQ(logits_after(18, 24), first);
}

INSTANTIATE_TEST_SUITE_P(
    Types, KvCacheOf,
    testing::Values(Measured{DType::kF16, 2.7e-8}, Measured{DType::kBF16, 3.2e-6},
                    Measured{DType::kQ8_0, 2.6e-5}, Measured{DType::kQ4_0, 2.9e-3},
                    Measured{{DType::kQ8_0, DType::kQ4_0}, 6.6e-4},
                    Measured{{DType::kQ4_0, DType::kF16}, 1.8e-3}),
    [](const auto& param) {
      const KvTypes types = param.param.types;
      return std::string(dtype_name(types.key)) + "_" + std::string(dtype_name(types.value));
    });

TEST(KvCache, RefusesTypesAndHeadsThatDoNotFit) {
  ModelConfig config = Checkpoint(kLab7m).config;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"q4_k"}, [&] { KvCache(config, 8, DType::kQ4_K); }));
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, {"0 positions"}, [&] { KvCache(config, 0, DType::kQ8_0); }));
  config.head_dim = 8;
  EXPECT_TRUE(fails_with(ErrorCode::kUnsupported, {"q8_0", "multiple of 32", "have 8"}, [&] {
    KvCache(config, 8, {DType::kF16, DType::kQ8_0});
  }));
}

TEST(KvCache, SaysWhatAPositionTakes) {
  const ModelConfig config = Checkpoint(kLab7m).config;
  const int64_t width = config.layers * config.kv_width();
  EXPECT_EQ(kv_bytes_per_position(config, DType::kF16), 4 * width);
  EXPECT_EQ(kv_bytes_per_position(config, {DType::kQ8_0, DType::kQ4_0}), 52 * width / 32);
}

}  // namespace
}  // namespace nibble
