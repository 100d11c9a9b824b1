// The forward pass against logits that were computed independently of any engine.
#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "support/checkpoint.h"
#include "support/files.h"
#include "support/npy.h"

namespace nibble {
namespace {

void expect_reference_logits(const std::filesystem::path& model,
                             const std::filesystem::path& tokens,
                             const std::filesystem::path& logits) {
  const Checkpoint checkpoint(model);
  const auto ids = read_tokens(tokens);
  const auto expected = read_npy(logits);
  ThreadPool pool(2);
  // The reference is within 1.7e-5 of double precision, we within 1.6e-5 of the reference.
  constexpr float kF32Cache = 5e-5f;
  constexpr float kF16Cache = 5e-2f;  // keys of 11 bits; logits reach 20. Measured: 1.9e-2
  for (const auto& [type, bound] :
       {std::pair(DType::kF32, kF32Cache), std::pair(DType::kF16, kF16Cache)}) {
    KvCache cache(checkpoint.config, static_cast<int64_t>(ids.size()), type);
    Forward forward(checkpoint.config, checkpoint.weights, pool);
    const auto found = forward.run(ids, cache, static_cast<int64_t>(ids.size()));
    EXPECT_LT(largest_difference(found, expected), bound) << "KV cache of " << dtype_name(type);
  }
}

TEST(Lab7m, HasTheReferenceLogits) {
  expect_reference_logits(kLab7m, kLab7mTokens,
                          repository_path("tests/golden/lab-7m/reference_logits.npy"));
}

TEST(Stories260k, HasTheReferenceLogits) {
  NIBBLE_REQUIRE_SHARED(shared_path("models/stories260k"));
  const auto reference = shared_path("models/stories260k-reference");
  expect_reference_logits(shared_path("models/stories260k"),
                          reference / "stories260k_logits_tokens.json",
                          reference / "stories260k_logits.npy");
}

// The logits after 40 tokens, `step` at a time.
std::vector<float> logits_in_pieces(const Checkpoint& checkpoint, size_t step, int threads) {
  const auto ids = read_tokens(kLab7mTokens);
  ThreadPool pool(threads);
  KvCache cache(checkpoint.config, 64, DType::kF16);
  Forward forward(checkpoint.config, checkpoint.weights, pool);
  std::span<const float> last;
  for (size_t at = 0; at < 40; at += step) {
    last = forward.run(std::span(ids).subspan(at, std::min(step, 40 - at)), cache, 1);
  }
  return {last.begin(), last.end()};
}

TEST(Lab7m, GivesTheSameBitsHoweverTheTextIsCut) {
  const Checkpoint checkpoint(kLab7m);
  const auto whole = logits_in_pieces(checkpoint, 40, 2);
  for (const size_t step : {4u, 7u, 12u}) {
    EXPECT_EQ(logits_in_pieces(checkpoint, step, 1), whole) << "in pieces of " << step;
  }
  const auto one_by_one = logits_in_pieces(checkpoint, 1, 1);
  EXPECT_EQ(logits_in_pieces(checkpoint, 2, 3), one_by_one);
  // Sums in another order (5.2e-5 here); now and then a key falls to the next f16.
  for (size_t i = 0; i < whole.size(); ++i) ASSERT_NEAR(one_by_one[i], whole[i], 2e-4);
}

}  // namespace
}  // namespace nibble
