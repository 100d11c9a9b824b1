#include "base/random.h"

#include <gtest/gtest.h>

namespace nibble {
namespace {

// Known answers: the reference C programs of prng.di.unimi.it.
TEST(Random, SplitMix64GivesItsKnownAnswers) {
  SplitMix64 random(1234567);
  for (const uint64_t expected : {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                                  4593380528125082431u, 16408922859458223821u}) {
    EXPECT_EQ(random.next(), expected);
  }
}

TEST(Random, XoshiroGivesItsKnownAnswers) {
  Random random(std::array<uint64_t, 4>{1, 2, 3, 4});
  for (const uint64_t expected : {uint64_t{11520}, uint64_t{0}, uint64_t{1509978240},
                                  uint64_t{1215971899390074240}, uint64_t{1216172134540287360}}) {
    EXPECT_EQ(random.next(), expected);
  }
}

TEST(Random, UniformFillsTheUnitInterval) {
  Random random(7);
  constexpr int kDraws = 100000;
  std::array<int, 10> counts{};
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    ++counts[static_cast<size_t>(value * 10)];
  }
  // The standard deviation of a count is 95.
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 10, 500);
}

TEST(Random, SeedsGiveTheirOwnSequences) {
  EXPECT_EQ(Random(3).next(), Random(3).next());
  EXPECT_NE(Random(3).next(), Random(4).next());
}

}  // namespace
}  // namespace nibble
