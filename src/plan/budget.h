// The choice of one option for each of many items that costs least in all within a limit: which
// type for which tensor when the file may have so many bytes, or lose so much. (The multiple-choice
// knapsack: Kellerer, Pferschy, Pisinger, Knapsack Problems, 2004, chapter 11.)
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace nibble {

struct BudgetOption {
  double weight;  // >= 0: what the limit counts
  double cost;    // >= 0: what is made least
};

struct BudgetChoice {
  std::vector<size_t> options;  // of each item
  double weight = 0;            // in all
  double cost = 0;
  double least_cost = 0;  // no choice within the limit costs less, but for a part in a million
};

// Each item has an option. std::nullopt when even the lightest ones weigh more than the limit.
// First the relaxed problem, which may choose fractions of options, then what is better than its
// rounding down, item by item, as long as no more than kMostStates partial choices are open; beyond
// that those with the least bounds are followed, and least_cost says how far from the best the
// choice can be.
inline constexpr size_t kMostStates = 5000;
std::optional<BudgetChoice> choose_within(std::span<const std::vector<BudgetOption>> items,
                                          double limit);

}  // namespace nibble
