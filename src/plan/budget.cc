#include "plan/budget.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>

namespace nibble {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kExact = 1e-6;  // of the cost: what is nearer to the best is not looked for

using Items = std::span<const std::vector<BudgetOption>>;

// Options of an item from light to heavy, each cheaper than all lighter ones, as indices.
std::vector<size_t> worth_having(const std::vector<BudgetOption>& options) {
  std::vector<size_t> order(options.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, [&](size_t a, size_t b) {
    if (options[a].weight != options[b].weight) return options[a].weight < options[b].weight;
    return options[a].cost != options[b].cost ? options[a].cost < options[b].cost : a < b;
  });
  std::vector<size_t> kept;
  for (const size_t i : order) {
    if (kept.empty() || options[i].cost < options[kept.back()].cost) kept.push_back(i);
  }
  return kept;
}

// From one option of an item to a heavier one, as the relaxed problem takes them: the gains of an
// item's steps fall.
struct Step {
  size_t item;
  size_t option;
  double weight;  // more
  double cost;    // less

  double gain() const { return cost / weight; }
};

void append_steps(const std::vector<BudgetOption>& options, const std::vector<size_t>& kept,
                  size_t item, std::vector<Step>& steps) {
  for (size_t at = 0; at + 1 < kept.size();) {
    Step best = {item, 0, 1, -1};
    size_t to = at + 1;
    for (size_t k = at + 1; k < kept.size(); ++k) {
      const Step step = {item, kept[k], options[kept[k]].weight - options[kept[at]].weight,
                         options[kept[at]].cost - options[kept[k]].cost};
      if (step.gain() >= best.gain()) best = step, to = k;
    }
    steps.push_back(best);
    at = to;
  }
}

class Solver {
 public:
  Solver(Items items, double limit) : items_(items), limit_(limit) {
    for (const auto& options : items) kept_.push_back(worth_having(options));
  }

  std::optional<BudgetChoice> solve() {
    if (!relax()) return std::nullopt;
    bound_rests();
    search();
    best_.least_cost = std::min(best_.least_cost, best_.cost);
    return best_;
  }

 private:
  struct State {
    double weight;
    double cost;
    uint32_t parent;  // among the states before the item
    uint32_t option;
  };

  // The lightest options, then the steps with the largest gains that fit. What the first one that
  // does not fit gains is what weight is worth (the multiplier).
  bool relax() {
    best_.options.clear();
    for (size_t i = 0; i < items_.size(); ++i) {
      const size_t lightest = kept_[i].front();
      best_.options.push_back(lightest);
      best_.weight += items_[i][lightest].weight;
      best_.cost += items_[i][lightest].cost;
    }
    if (best_.weight > limit_) return false;
    std::vector<Step> steps;
    for (size_t i = 0; i < items_.size(); ++i) append_steps(items_[i], kept_[i], i, steps);
    std::ranges::stable_sort(steps, std::ranges::greater(), &Step::gain);
    std::vector<bool> is_closed(items_.size());
    for (const Step& step : steps) {
      if (is_closed[step.item]) continue;
      if (best_.weight + step.weight > limit_) {
        if (multiplier_ == 0) multiplier_ = step.gain();
        is_closed[step.item] = true;
        continue;
      }
      best_.options[step.item] = step.option;
      best_.weight += step.weight;
      best_.cost -= step.cost;
    }
    recompute(best_);
    return true;
  }

  // What items from i on cost at least, with weight at its worth.
  void bound_rests() {
    rest_.assign(items_.size() + 1, 0.0);
    for (size_t i = items_.size(); i-- > 0;) {
      double least = kInfinity;
      for (const size_t k : kept_[i])
        least = std::min(least, items_[i][k].cost + multiplier_ * items_[i][k].weight);
      rest_[i] = rest_[i + 1] + least;
    }
    best_.least_cost = rest_[0] - multiplier_ * limit_;
  }

  double bound(const State& state, size_t next) const {
    return state.cost + multiplier_ * (state.weight - limit_) + rest_[next];
  }

  void search() {
    const double least = best_.least_cost;
    std::vector<double> lightest(items_.size() + 1, 0.0);
    for (size_t i = items_.size(); i-- > 0;)
      lightest[i] = lightest[i + 1] + items_[i][kept_[i].front()].weight;
    levels_.assign(1, {{0, 0, 0, 0}});
    bool is_whole = true;
    for (size_t i = 0; i < items_.size(); ++i) {
      std::vector<State> states;
      for (size_t parent = 0; parent < levels_.back().size(); ++parent) {
        for (const size_t k : kept_[i]) {
          const State& from = levels_.back()[parent];
          const State state = {from.weight + items_[i][k].weight, from.cost + items_[i][k].cost,
                               static_cast<uint32_t>(parent), static_cast<uint32_t>(k)};
          if (state.weight + lightest[i + 1] > limit_) break;  // the heavier ones likewise
          if (bound(state, i + 1) < best_.cost * (1 - kExact)) states.push_back(state);
        }
      }
      keep_undominated(states);
      is_whole &= keep_some(states, i + 1);
      levels_.push_back(std::move(states));
    }
    take_best();
    best_.least_cost = is_whole ? best_.cost : least;
  }

  static void keep_undominated(std::vector<State>& states) {
    std::ranges::sort(states, [](const State& a, const State& b) {
      return a.weight != b.weight ? a.weight < b.weight : a.cost < b.cost;
    });
    double least = kInfinity;
    std::erase_if(states, [&](const State& state) {
      if (state.cost >= least) return true;
      least = state.cost;
      return false;
    });
  }

  // Whether all were kept.
  bool keep_some(std::vector<State>& states, size_t next) const {
    if (states.size() <= kMostStates) return true;
    std::ranges::nth_element(states, states.begin() + kMostStates, {},
                             [&](const State& state) { return bound(state, next); });
    states.resize(kMostStates);
    return false;
  }

  void take_best() {
    const auto& last = levels_.back();
    const auto found = std::ranges::min_element(last, {}, &State::cost);
    if (found == last.end() || found->cost >= best_.cost) return;
    size_t at = static_cast<size_t>(found - last.begin());
    for (size_t i = items_.size(); i-- > 0;) {
      const State& state = levels_[i + 1][at];
      best_.options[i] = state.option;
      at = state.parent;
    }
    recompute(best_);
  }

  void recompute(BudgetChoice& choice) const {
    choice.weight = choice.cost = 0;
    for (size_t i = 0; i < items_.size(); ++i) {
      choice.weight += items_[i][choice.options[i]].weight;
      choice.cost += items_[i][choice.options[i]].cost;
    }
  }

  Items items_;
  double limit_;
  std::vector<std::vector<size_t>> kept_;
  double multiplier_ = 0;
  std::vector<double> rest_;
  std::vector<std::vector<State>> levels_;
  BudgetChoice best_;
};

}  // namespace

std::optional<BudgetChoice> choose_within(Items items, double limit) {
  return Solver(items, limit).solve();
}

}  // namespace nibble
