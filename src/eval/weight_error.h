// How far a matrix's weights are from another's.
#pragma once

#include <span>

#include "base/threads.h"
#include "tensor/view.h"

namespace nibble {

// Sums of squares over weights: of the reference, and of the differences from it.
struct WeightError {
  double norm = 0, difference = 0;
  double weighted_norm = 0, weighted_difference = 0;  // each column times its factor

  WeightError& operator+=(const WeightError& other);
  double relative() const;
  double weighted() const;  // NaN without factors
};

// Matrices of one shape and any types. `factors`: one a column, or none. The sums do not depend on
// the number of threads.
WeightError weight_error(const TensorView& matrix, const TensorView& reference,
                         std::span<const double> factors, ThreadPool& pool);

}  // namespace nibble
