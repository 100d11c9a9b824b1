// Scores and their statistics against numbers that Python computed in double precision from the
// formulas; the inputs stand beside them.
#include "eval/score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "eval/score_statistics.h"
#include "support/random.h"

namespace nibble {
namespace {

const std::vector<float> kReference = {1.0f, 2.0f, -1.0f, 0.5f, 3.0f, -2.0f};
const std::vector<float> kModel = {1.2f, 2.5f, -0.7f, 0.1f, 2.4f, -2.5f};
constexpr uint32_t kNext = 3;
// p = exp(kReference) / sum, q likewise: -ln q[3], -ln p[3], sum(p * ln(p / q))
constexpr double kNll = 3.2396633969, kReferenceNll = 2.9764536015, kKl = 0.1238367039;

TEST(Score, IsTheNegativeLogLikelihoodOfTheTokenThatCame) {
  EXPECT_NEAR(score(kModel.data(), 6, kNext).nll, kNll, 1e-6);
}

TEST(Score, ComparesLogits) {
  const Score result = compare_logits(kReference.data(), kModel.data(), 6, kNext);
  EXPECT_NEAR(result.nll, kNll, 1e-6);
  EXPECT_NEAR(result.reference_nll, kReferenceNll, 1e-6);
  EXPECT_NEAR(result.divergence, kKl, 1e-6);
  EXPECT_FALSE(result.same_top);
}

TEST(Score, OfAModelBesideItselfIsZero) {
  const auto logits = random_floats(5000, 12.0f, 3);
  const Score result = compare_logits(logits.data(), logits.data(), 5000, 17);
  EXPECT_EQ(result.divergence, 0);
  EXPECT_EQ(result.nll, result.reference_nll);
  EXPECT_TRUE(result.same_top);
}

TEST(Score, DoesNotDependOnWhatIsAddedToAllLogits) {
  auto shifted = kModel;
  for (float& logit : shifted) logit += 100;
  const Score result = compare_logits(kReference.data(), shifted.data(), 6, kNext);
  EXPECT_NEAR(result.divergence, kKl, 2e-5);  // a step of a float at 100 is 8e-6
}

TEST(Score, OfStoredLogProbabilitiesLeavesOutTheSmallest) {
  // Not quite normalized, and one below -16: sum of exp(l) * (l - ln q) over the others.
  std::vector<float> stored = {-2.5f, -1.4f, -4.4f, -3.0f, -0.5f, -16.5f};
  const Score result = compare_log_probabilities(stored.data(), kModel.data(), 6, kNext);
  double expected = 0, sum = 0;
  const float logs[] = {-2.5f, -1.4f, -4.4f, -3.0f, -0.5f};
  for (const float logit : kModel) sum += std::exp(static_cast<double>(logit));
  for (size_t i = 0; i < 5; ++i) {
    const double log_p = logs[i];
    expected += std::exp(log_p) * (log_p - static_cast<double>(kModel[i]) + std::log(sum));
  }
  EXPECT_NEAR(result.divergence, expected, 1e-6);
  EXPECT_EQ(result.reference_nll, 3.0);
  EXPECT_NEAR(result.nll, kNll, 1e-6);
}

TEST(Score, OfLogitsThatAreNoNumbersAgreesWithNothing) {
  const std::vector<float> bad(6, std::nanf(""));
  EXPECT_FALSE(std::isfinite(compare_logits(kReference.data(), bad.data(), 6, kNext).divergence));
  EXPECT_FALSE(compare_logits(kReference.data(), bad.data(), 6, kNext).same_top);
}

// Three windows of two positions.
ScoreStatistics some_statistics() {
  ScoreStatistics statistics(true);
  const Score scores[] = {{1.0, 0.9, 0.02, true},  {2.0, 2.1, 0.05, true}, {3.0, 2.8, 0.01, false},
                          {0.5, 0.55, 0.03, true}, {1.5, 1.4, 0.04, true}, {2.5, 2.6, 0.09, false}};
  for (size_t i = 0; i < std::size(scores); ++i) {
    statistics.add(scores[i]);
    if (i % 2 == 1) statistics.end_window();
  }
  return statistics;
}

void expect_estimate(const Estimate& estimate, double value, double error, double low,
                     double high) {
  EXPECT_NEAR(estimate.value, value, 1e-8);
  EXPECT_NEAR(estimate.error, error, 1e-8);
  EXPECT_NEAR(estimate.low, low, 2e-5);  // of Student's t six digits are kept
  EXPECT_NEAR(estimate.high, high, 2e-5);
}

// Python: mean, pstdev / sqrt(n - 1), mean +- t * stdev(window means) / sqrt(3) with t = 4.302653;
// exponentials, root and difference to first order.
TEST(ScoreStatistics, AreThoseOfTheFormulas) {
  const ScoreStatistics s = some_statistics();
  const Divergence d = s.divergence();
  expect_estimate(s.perplexity(), 5.7546026760, 2.1975751964, 3.0924559222, 10.7084636908);
  expect_estimate(d.reference_perplexity, 5.6125210297, 2.1071883635, 2.9883425221, 10.5410916171);
  expect_estimate(d.log_ratio, 0.0250000000, 0.0512347538, -0.0825663182, 0.1325663182);
  expect_estimate(d.ratio, 1.0253151205, 0.0525317678, 0.9207503733, 1.1417547327);
  expect_estimate(d.difference, 0.1420816463, 0.3026768365, -0.4680507705, 0.7522140631);
  expect_estimate(d.kl_divergence, 0.0400000000, 0.0115470054, 0, 0.0969187455);
  expect_estimate(d.delta_p, -0.0038181486, 0.0103014086, -0.0326915399, 0.0250552426);
  expect_estimate(d.rms_delta_p, 0.0233489476, 0.0049026529, 0.0000000000, 0.0347230427);
  expect_estimate(d.agreement, 0.6666666667, 0.2108185107, 0, 1);
  EXPECT_NEAR(d.correlation, 0.9909901959, 1e-8);
  EXPECT_NEAR(d.kl_percentiles.median(), 0.035, 1e-7);  // kept as floats
  EXPECT_NEAR(d.delta_p_percentiles.maximum(), 0.02958085, 1e-7);
}

TEST(ScoreStatistics, OfOneWindowHaveNoInterval) {
  ScoreStatistics statistics(false);
  statistics.add({.nll = 1});
  statistics.add({.nll = 2});
  statistics.end_window();
  EXPECT_NEAR(statistics.perplexity().value, std::exp(1.5), 1e-12);
  EXPECT_NEAR(statistics.perplexity().error, std::exp(1.5) * 0.5, 1e-12);
  EXPECT_TRUE(std::isnan(statistics.perplexity().low));
}

TEST(Percentiles, LieBetweenNeighbours) {
  const Percentiles percentiles = percentiles_of({4, 1, 3, 2, 5});
  EXPECT_EQ(percentiles.maximum(), 5);
  EXPECT_EQ(percentiles.minimum(), 1);
  EXPECT_EQ(percentiles.median(), 3);
  EXPECT_NEAR(percentiles.p99(), 4.96, 1e-12);
  EXPECT_EQ(percentiles_of({7}).p99(), 7);
}

}  // namespace
}  // namespace nibble
