#include "plan/budget.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace nibble {
namespace {

using Items = std::vector<std::vector<BudgetOption>>;

Items random_items(std::mt19937& random, size_t items, size_t options) {
  std::uniform_int_distribution<int> weight(1, 100);
  std::uniform_real_distribution<double> cost(0, 1);
  Items result(items);
  for (auto& item : result) {
    for (size_t k = 0; k < options; ++k)
      item.push_back({static_cast<double>(weight(random)), cost(random)});
  }
  return result;
}

// Every choice, one after another.
double least_cost(const Items& items, double limit, size_t first = 0) {
  if (limit < 0) return std::numeric_limits<double>::infinity();
  if (first == items.size()) return 0;
  double least = std::numeric_limits<double>::infinity();
  for (const BudgetOption& option : items[first])
    least = std::min(least, option.cost + least_cost(items, limit - option.weight, first + 1));
  return least;
}

TEST(Budget, FindsTheLeastCostOfAllChoices) {
  std::mt19937 random(7);
  int possible = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const Items items = random_items(random, 1 + trial % 6, 1 + trial % 5);
    const double limit = static_cast<double>(trial % 60) * static_cast<double>(items.size());
    const double least = least_cost(items, limit);
    const auto choice = choose_within(items, limit);
    ASSERT_EQ(choice.has_value(), std::isfinite(least)) << trial;
    if (!choice) continue;
    ++possible;
    EXPECT_NEAR(choice->cost, least, 1e-9) << trial;
    EXPECT_LE(choice->weight, limit) << trial;
    EXPECT_NEAR(choice->least_cost, choice->cost, 1e-9) << trial;
  }
  EXPECT_GT(possible, 150);
}

TEST(Budget, SumsAreThoseOfTheOptionsThatItNames) {
  std::mt19937 random(8);
  const Items items = random_items(random, 40, 8);
  const auto choice = choose_within(items, 1500);
  ASSERT_TRUE(choice);
  double weight = 0, cost = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    weight += items[i].at(choice->options[i]).weight;
    cost += items[i].at(choice->options[i]).cost;
  }
  EXPECT_EQ(choice->weight, weight);
  EXPECT_EQ(choice->cost, cost);
  EXPECT_LE(weight, 1500);
}

// As many tensors as large models have, with weights and costs as types have them: the best choice,
// or one that is provably near it.
TEST(Budget, ManyItemsComeNearTheBound) {
  std::mt19937 random(9);
  std::lognormal_distribution<double> sensitivity(0, 1.5);
  std::uniform_int_distribution<int> size(1, 40);
  Items items(700);
  for (auto& item : items) {
    const double weights = 65536.0 * size(random), cost = sensitivity(random);
    for (const double bits : {2.0625, 2.625, 3.0625, 3.4375, 4.25, 4.5, 5.5, 6.5625, 8.5})
      item.push_back({weights * bits / 8, cost * weights * std::exp2(-2 * bits)});
  }
  double limit = 0;
  for (const auto& item : items) limit += item[4].weight;
  const auto choice = choose_within(items, limit);
  ASSERT_TRUE(choice);
  EXPECT_LE(choice->weight, limit);
  EXPECT_LE(choice->cost, choice->least_cost * 1.0005);
}

TEST(Budget, LightestOptionsThatJustFitAreTaken) {
  const Items items = {{{3, 1}, {2, 5}}, {{4, 1}, {1, 9}}};
  const auto choice = choose_within(items, 3);
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->options, (std::vector<size_t>{1, 1}));
  EXPECT_FALSE(choose_within(items, 2.5));
}

}  // namespace
}  // namespace nibble
