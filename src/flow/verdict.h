// What decisions between two models share: the order in which they look at what there is, and when
// it is enough.
#pragma once

#include <cstddef>
#include <vector>

#include "eval/bounded_sequence.h"
#include "eval/confidence_sequence.h"
#include "nibble/decide.h"

namespace nibble {

void check_within(double within);  // error kUsage

std::vector<size_t> random_order(size_t count);  // of 0 to count - 1, the same in each call

// What is both equal and better is equal: the caller said that so little does not matter.

// Of differences between logarithms of two perplexities, the model's less the other's.
Outcome outcome_of(const ConfidenceSequence& differences, double within);

// Of differences between scores, of which higher ones are better.
Outcome outcome_of(const BoundedSequence& differences, double within);

}  // namespace nibble
