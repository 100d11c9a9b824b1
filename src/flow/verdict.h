// When the interval of a sequence of differences is enough to stop.
#pragma once

#include <cmath>

#include "eval/confidence_sequence.h"
#include "nibble/decide.h"

namespace nibble {

// Of differences between logarithms of two perplexities. What is both equal and better is equal:
// the caller said that so little does not matter.
inline Outcome outcome_of(const ConfidenceSequence& differences, double within) {
  const double most = std::log1p(within);
  if (-most < differences.low() && differences.high() < most) return Outcome::kEqual;
  if (differences.high() < 0) return Outcome::kBetter;
  if (differences.low() > 0) return Outcome::kWorse;
  return Outcome::kUndecided;
}

}  // namespace nibble
