#include "eval/choice_score.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace nibble {
namespace {

TEST(ChoiceScore, RanksBySumByCharactersAndByTokens) {
  ChoiceItem item;
  item.choices = {"ab", "abcd", "äöüßéèàêâ"};  // 2, 4 and 9 characters
  item.right = {2};
  const std::vector<ScoredText> texts = {{{1, 2}, 1}, {{1, 2, 3, 4, 5}, 1}, {{1, 2, 3}, 1}};
  const std::array<double, 3> sums = {-4, -4.4, -8};
  EXPECT_EQ(choose(item, texts, sums, ChoiceMeasure::kSum).choice, 0u);
  EXPECT_EQ(choose(item, texts, sums, ChoiceMeasure::kPerToken).choice, 1u);
  const auto by_characters = choose(item, texts, sums, ChoiceMeasure::kPerCharacter);
  EXPECT_EQ(by_characters.choice, 2u);
  EXPECT_EQ(by_characters.score, 1.0);
}

TEST(ChoiceScore, TakesTheFirstOfEquals) {
  ChoiceItem item;
  item.choices = {"a", "b", "c"};
  item.right = {1};
  const std::vector<ScoredText> texts(3, {{1, 2}, 1});
  const auto outcome = choose(item, texts, std::array<double, 3>{-2, -1, -1}, ChoiceMeasure::kSum);
  EXPECT_EQ(outcome.choice, 1u);
  EXPECT_EQ(outcome.score, 1.0);
}

TEST(ChoiceScore, SharesProbabilityOutHoweverSmallItIs) {
  ChoiceItem item;
  item.choices = {"a", "b", "c"};
  item.right = {0, 2};
  const std::vector<ScoredText> texts(3, {{1, 2}, 1});
  const std::array<double, 3> sums = {-5000, -5000 + std::log(2), -5000};
  EXPECT_NEAR(choose(item, texts, sums, ChoiceMeasure::kShareOfRight).score, 0.5, 1e-12);
}

TEST(MeanScore, HasTheStandardErrorOfASample) {
  const auto score = mean_score(std::array<double, 4>{1, 0, 1, 1});
  EXPECT_EQ(score.mean, 0.75);
  EXPECT_NEAR(score.error.value(), 0.25, 1e-15);  // sqrt(0.75 * 0.25 / (4 - 1))
  EXPECT_FALSE(mean_score(std::array<double, 1>{1}).error.has_value());
}

}  // namespace
}  // namespace nibble
