#include "eval/bounded_sequence.h"

#include <algorithm>
#include <cmath>

namespace nibble {

// The paper's predictable plug-in (its equations 24 to 26): mean and variance begin as if one value
// of 1/2 with a variance of 1/4 had been seen.
void BoundedSequence::add(double value) {
  const auto n = static_cast<double>(bets_.size() + 1);
  const double variance = (0.25 + squares_) / n;
  const double share = std::sqrt(2 * std::log(2 / kError) / (variance * n * std::log1p(n)));
  const double x = (value + 1) / 2;
  bets_.push_back({x, share});
  sum_ += x;
  const double mean = (0.5 + sum_) / (n + 1);
  squares_ += (x - mean) * (x - mean);
}

double BoundedSequence::mean() const {
  return bets_.empty() ? 0 : 2 * sum_ / static_cast<double>(bets_.size()) - 1;
}

bool BoundedSequence::excludes(double candidate) const {
  constexpr double kMostLost = 0.5;  // of the capital, in one bet
  const double m = (candidate + 1) / 2;
  double above = 0, below = 0;  // logarithms
  for (const Bet& bet : bets_) {
    above += std::log1p(std::min(bet.share, kMostLost / m) * (bet.value - m));
    below += std::log1p(-std::min(bet.share, kMostLost / (1 - m)) * (bet.value - m));
  }
  return std::max(above, below) >= std::log(2 / kError);
}

double BoundedSequence::edge(double outside, double inside) const {
  constexpr double kPrecision = 1e-4;
  if (!excludes(outside)) return outside;
  while (std::abs(inside - outside) > kPrecision) {
    const double middle = (inside + outside) / 2;
    (excludes(middle) ? outside : inside) = middle;
  }
  return outside;
}

double BoundedSequence::low() const { return edge(-1, mean()); }
double BoundedSequence::high() const { return edge(1, mean()); }

}  // namespace nibble
