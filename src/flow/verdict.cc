#include "flow/verdict.h"

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/random.h"

namespace nibble {

void check_within(double within) {
  if (within > 0 && within <= 1) return;
  fail(ErrorCode::kUsage, "a difference of {} cannot be decided: expected above 0 and at most 1",
       within);
}

// Fisher and Yates's shuffle. That % favours some numbers by one in 2^50 or so does not matter.
std::vector<size_t> random_order(size_t count) {
  constexpr uint64_t kSeed = 1;
  Random random(kSeed);
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  for (size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.next() % i]);
  return order;
}

Outcome outcome_of(const ConfidenceSequence& differences, double within) {
  const double most = std::log1p(within);
  if (-most < differences.low() && differences.high() < most) return Outcome::kEqual;
  if (differences.high() < 0) return Outcome::kBetter;
  if (differences.low() > 0) return Outcome::kWorse;
  return Outcome::kUndecided;
}

Outcome outcome_of(const BoundedSequence& differences, double within) {
  const double mean = differences.mean();
  if (std::abs(mean) < within && differences.excludes(within) && differences.excludes(-within))
    return Outcome::kEqual;
  if (!differences.excludes(0)) return Outcome::kUndecided;
  return mean > 0 ? Outcome::kBetter : Outcome::kWorse;
}

}  // namespace nibble
