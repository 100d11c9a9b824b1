// Compact references: what is proven, that estimates have no bias, and how often intervals hold
// the exact divergence.
#include "eval/compact_row.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "eval/score_statistics.h"
#include "support/checkpoint.h"
#include "support/random.h"

namespace nibble {
namespace {

constexpr int64_t kVocab = 3000;

CompactLayout layout_with(int64_t top, int64_t samples, int64_t vocab_size = kVocab) {
  return {.context = 8, .vocab_size = vocab_size, .windows = 1, .top = top, .samples = samples};
}

// Logits of a position, the larger the rarer, as those of language models; and the same as another
// model might have them, off by `noise`.
struct Pair {
  std::vector<float> reference, model;

  Pair(uint64_t seed, float noise) : reference(random_floats(kVocab, 1.0f, seed)) {
    for (float& logit : reference) logit = -2.0f * std::log(std::fabs(logit) + 1e-4f);
    model = reference;
    const auto errors = random_floats(kVocab, noise, seed + 1'000'000);
    for (size_t i = 0; i < model.size(); ++i) model[i] += errors[i];
  }
};

Score stored_and_compared(const std::vector<float>& reference, const std::vector<float>& model,
                          const CompactLayout& layout, uint64_t seed) {
  auto logits = reference;
  CompactRow row;
  fill_compact_row(logits.data(), layout.vocab_size, 7, seed, layout, row);
  return compare_compact_row(row, model.data(), layout.vocab_size, 7);
}

TEST(CompactRow, HasTheLikeliestTokensAndTheMassOfTheOthers) {
  std::vector<float> logits = {1, 5, 2, 5, 0, -1};
  CompactRow row;
  fill_compact_row(logits.data(), 6, 2, 1, layout_with(3, 4, 6), row);
  ASSERT_EQ(row.top.size(), 3u);
  EXPECT_EQ(row.top[0].id, 1u);
  EXPECT_EQ(row.top[1].id, 3u);
  EXPECT_EQ(row.top[2].id, 2u);
  const double sum = std::exp(1) + 2 * std::exp(5) + std::exp(2) + 1 + std::exp(-1);
  EXPECT_NEAR(row.tail_mass, (std::exp(1) + 1 + std::exp(-1)) / sum, 1e-7);
  EXPECT_NEAR(row.next_log_p, 2 - std::log(sum), 1e-6);
  for (const CompactEntry& sample : row.samples)
    EXPECT_TRUE(sample.id == 0 || sample.id == 4 || sample.id == 5) << sample.id;
}

TEST(CompactRow, DrawsTheTailAsOftenAsItsProbabilitiesSay) {
  const std::vector<float> logits = {3, 1, 0.5f, 0, 2, -1};
  std::vector<double> counts(6);
  for (uint64_t seed = 0; seed < 200; ++seed) {
    auto copy = logits;
    CompactRow row;
    fill_compact_row(copy.data(), 6, 0, seed, layout_with(2, 100, 6), row);
    for (const CompactEntry& sample : row.samples) ++counts[sample.id];
  }
  const double tail = std::exp(1) + std::exp(0.5) + 1 + std::exp(-1);
  for (const size_t id : {1u, 2u, 3u, 5u}) {
    const double p = std::exp(static_cast<double>(logits[id])) / tail;
    EXPECT_NEAR(counts[id] / 20000, p, 4 * std::sqrt(p * (1 - p) / 20000)) << id;
  }
  EXPECT_EQ(counts[0] + counts[4], 0);
}

TEST(CompactRow, OfAllTokensIsExact) {
  const Pair pair(1, 0.3f);
  const Score exact = compare_logits(pair.reference.data(), pair.model.data(), kVocab, 7);
  const Score score = stored_and_compared(pair.reference, pair.model, layout_with(kVocab, 0), 1);
  EXPECT_NEAR(score.divergence, exact.divergence, 1e-6);
  EXPECT_NEAR(score.nll, exact.nll, 1e-6);
  EXPECT_NEAR(score.reference_nll, exact.reference_nll, 1e-6);
  EXPECT_EQ(score.same_top, exact.same_top);
}

TEST(CompactRow, IsNeverAboveTheExactDivergenceInItsLowerBound) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const Pair pair(seed, 0.02f * static_cast<float>(seed));
    const Score exact = compare_logits(pair.reference.data(), pair.model.data(), kVocab, 7);
    const Score score = stored_and_compared(pair.reference, pair.model, layout_with(20, 5), seed);
    EXPECT_LE(score.least_divergence, exact.divergence + 1e-6) << seed;
    EXPECT_GE(score.divergence, score.least_divergence) << seed;
    EXPECT_GE(score.least_divergence, 0) << seed;
  }
}

TEST(CompactRow, HasNoBias) {
  const Pair pair(5, 0.5f);
  const double exact =
      compare_logits(pair.reference.data(), pair.model.data(), kVocab, 7).divergence;
  constexpr int kRuns = 4000;
  double sum = 0, squares = 0, variances = 0;
  for (uint64_t seed = 0; seed < kRuns; ++seed) {
    const Score score = stored_and_compared(pair.reference, pair.model, layout_with(8, 6), seed);
    sum += score.divergence;
    squares += score.divergence * score.divergence;
    variances += score.sampling_variance;
  }
  const double mean = sum / kRuns, variance = squares / kRuns - mean * mean;
  EXPECT_NEAR(mean, exact, 3.5 * std::sqrt(variance / kRuns));
  EXPECT_GT(std::sqrt(variance), 0.005 * exact);  // or nothing was sampled
  EXPECT_NEAR(variances / kRuns / variance, 1, 0.15);
}

// The share of references, each of all positions, whose interval holds the exact mean.
double coverage(const std::vector<Pair>& pairs, const CompactLayout& layout, int runs) {
  double exact = 0;
  for (const Pair& pair : pairs)
    exact += compare_logits(pair.reference.data(), pair.model.data(), kVocab, 7).divergence;
  exact /= static_cast<double>(pairs.size());
  int held = 0;
  for (int run = 0; run < runs; ++run) {
    ScoreStatistics statistics(true, true);
    for (size_t i = 0; i < pairs.size(); ++i) {
      const auto seed = static_cast<uint64_t>(run) * pairs.size() + i;
      statistics.add(stored_and_compared(pairs[i].reference, pairs[i].model, layout, seed));
    }
    const SamplingInterval interval = *statistics.divergence().kl_sampling;
    held += interval.low <= exact && exact <= interval.high;
  }
  return static_cast<double>(held) / runs;
}

class CompactRowIntervals : public testing::TestWithParam<float> {};

TEST_P(CompactRowIntervals, HoldTheExactDivergence) {
  std::vector<Pair> pairs;
  for (uint64_t i = 0; i < 60; ++i) pairs.emplace_back(i, GetParam());
  EXPECT_GE(coverage(pairs, layout_with(24, 6), 300), 0.95);
}

INSTANTIATE_TEST_SUITE_P(Noise, CompactRowIntervals, testing::Values(0.02f, 0.1f, 0.5f, 2.0f));

}  // namespace
}  // namespace nibble
