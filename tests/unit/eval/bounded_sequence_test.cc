// Confidence sequences of differences of scores: how often they miss, by simulation.
#include "eval/bounded_sequence.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace nibble {
namespace {

// Two models that differ on a share of the questions.
struct Scores {
  double better, worse;  // shares of questions that only the first, only the second gets right
  double mean() const { return better - worse; }
  double draw(Random& random) const {
    const double u = random.uniform();
    return u < better ? 1 : u < better + worse ? -1 : 0;
  }
};

class BoundedSequences : public testing::TestWithParam<Scores> {};

// Looked at after each batch of 16, as decisions are.
TEST_P(BoundedSequences, HoldTheMeanAtAllTimes) {
  constexpr int kReplays = 400, kBatches = 30, kBatch = 16;
  constexpr int kMostMisses = 31;  // the binomial distribution's 99 % quantile, for 5 % of 400
  Random random(1);
  int missing = 0;
  for (int replay = 0; replay < kReplays; ++replay) {
    BoundedSequence sequence;
    bool is_missing = false;
    for (int batch = 0; batch < kBatches; ++batch) {
      for (int i = 0; i < kBatch; ++i) sequence.add(GetParam().draw(random));
      is_missing |= sequence.excludes(GetParam().mean());
    }
    missing += is_missing ? 1 : 0;
  }
  EXPECT_LE(missing, kMostMisses);
  RecordProperty("missing", missing);
}

INSTANTIATE_TEST_SUITE_P(Scores, BoundedSequences,
                         testing::Values(Scores{0.02, 0.02}, Scores{0.001, 0.01},
                                         Scores{0.05, 0.15}, Scores{0.3, 0.1}, Scores{0.4, 0.4}));

TEST(BoundedSequence, NarrowsAroundTheMean) {
  const Scores scores{0.02, 0.12};
  Random random(2);
  BoundedSequence sequence;
  EXPECT_EQ(sequence.low(), -1);
  EXPECT_EQ(sequence.high(), 1);
  for (int i = 0; i < 1000; ++i) sequence.add(scores.draw(random));
  EXPECT_LT(sequence.low(), scores.mean());
  EXPECT_GT(sequence.high(), scores.mean());
  EXPECT_LT(sequence.high() - sequence.low(), 0.1);
  EXPECT_TRUE(sequence.excludes(sequence.low()));
  EXPECT_TRUE(sequence.excludes(0));
}

// A deviation of 0 is no proof: the rare question where the models differ may come yet.
TEST(BoundedSequence, IsNotSureOfEqualityAfterFewEqualScores) {
  BoundedSequence sequence;
  for (int i = 0; i < 50; ++i) sequence.add(0);
  EXPECT_LT(sequence.low(), -0.02);
  EXPECT_GT(sequence.high(), 0.02);
}

}  // namespace
}  // namespace nibble
