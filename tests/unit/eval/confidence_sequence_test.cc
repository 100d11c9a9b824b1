// Confidence sequences: that intervals hold at all times together, by simulation with fixed seeds.
#include "eval/confidence_sequence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "base/random.h"

namespace nibble {
namespace {

constexpr int kReplays = 1000;
constexpr int kValues = 800;
// If 5 % of sequences missed, more than that many of 1000 would with a probability of 1 % (the
// quantile of the binomial distribution).
constexpr int kMostMisses = 67;

double normal(Random& random) {  // Box and Muller
  return std::sqrt(-2 * std::log1p(-random.uniform())) *
         std::cos(2 * std::numbers::pi * random.uniform());
}

// The number of replays in which the interval misses the mean after any of the values.
int missing_sequences(double mean, uint64_t seed, const std::function<double(Random&)>& draw) {
  Random random(seed);
  int missing = 0;
  for (int replay = 0; replay < kReplays; ++replay) {
    ConfidenceSequence sequence;
    bool is_missing = false;
    for (int i = 0; i < kValues; ++i) {
      sequence.add(draw(random));
      is_missing |= sequence.low() > mean || sequence.high() < mean;
    }
    missing += is_missing ? 1 : 0;
  }
  return missing;
}

TEST(ConfidenceSequence, HoldsTheMeanOfNormalValuesAtAllTimes) {
  EXPECT_LE(missing_sequences(3, 1, [](Random& random) { return 3 + 0.01 * normal(random); }),
            kMostMisses);
}

TEST(ConfidenceSequence, HoldsTheMeanOfSkewedValuesAtAllTimes) {
  constexpr double kDeviation = 0.5;  // of the logarithm: a skewness of 1.75
  const double mean = std::exp(kDeviation * kDeviation / 2);
  EXPECT_LE(missing_sequences(mean, 2,
                              [](Random& random) { return std::exp(kDeviation * normal(random)); }),
            kMostMisses);
}

// What the sequences are for: an interval for one time, looked at after each value.
TEST(ConfidenceSequence, IsNeededSinceOrdinaryIntervalsMissTooOften) {
  constexpr double kStandardErrors = 1.96;
  Random random(3);
  int missing = 0;
  for (int replay = 0; replay < kReplays; ++replay) {
    bool is_missing = false;
    double sum = 0;
    for (int i = 1; i <= kValues; ++i) {
      sum += normal(random);
      is_missing |=
          i >= ConfidenceSequence::kLeast && std::abs(sum) > kStandardErrors * std::sqrt(i);
    }
    missing += is_missing ? 1 : 0;
  }
  EXPECT_GT(missing, 4 * kMostMisses);
}

TEST(ConfidenceSequence, SaysNothingOfFewValues) {
  ConfidenceSequence sequence;
  for (int64_t i = 1; i < ConfidenceSequence::kLeast; ++i) sequence.add(1);
  EXPECT_TRUE(std::isinf(sequence.half_width()));
  sequence.add(1);
  EXPECT_EQ(sequence.low(), 1);
  EXPECT_EQ(sequence.high(), 1);
}

// The asymptotic sequence of arXiv:2103.06476 (theorem 2.2, rho^2 = 1 / typical), which is written
// for many values.
TEST(AnytimeStandardErrors, BecomeThoseOfTheAsymptoticSequence) {
  const double n = 1e6, rho_squared = 1 / 32.0;
  const double expected = std::sqrt(2 * (n * rho_squared + 1) / (n * rho_squared) *
                                    std::log(std::sqrt(n * rho_squared + 1) / 0.05));
  EXPECT_NEAR(anytime_standard_errors(1000000, 0.05, 32), expected, 1e-3);
  EXPECT_GT(anytime_standard_errors(20, 0.05, 32), anytime_standard_errors(20, 0.1, 32));
  EXPECT_TRUE(std::isinf(anytime_standard_errors(1, 0.05, 32)));
  EXPECT_TRUE(std::isinf(anytime_standard_errors(2, 0.05, 32)));
}

}  // namespace
}  // namespace nibble
