// Inputs whose columns go together, and what error feedback makes of them.
#pragma once

#include <cstdint>
#include <vector>

#include "support/random.h"

namespace nibble {

// Rows of activations as models have them: columns share a few directions, and some are large.
inline std::vector<float> correlated_rows(int64_t rows, int64_t columns, uint32_t seed) {
  constexpr int64_t kDirections = 12;
  const auto own = gaussian(static_cast<size_t>(rows * columns), 0.3f, seed);
  const auto shares = gaussian(static_cast<size_t>(rows * kDirections), 1.0f, seed + 1);
  const auto directions = gaussian(static_cast<size_t>(kDirections * columns), 0.5f, seed + 2);
  std::vector<float> x = own;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      float& value = x[static_cast<size_t>(r * columns + c)];
      for (int64_t d = 0; d < kDirections; ++d) {
        value += shares[static_cast<size_t>(r * kDirections + d)] *
                 directions[static_cast<size_t>(d * columns + c)];
      }
      if (c % 37 == 0) value *= 4.0f;
    }
  }
  return x;
}

// The triangle of x^T x up to the diagonal, row by row.
inline std::vector<float> moments_of(const std::vector<float>& x, int64_t columns) {
  const auto n = static_cast<size_t>(columns);
  std::vector<float> triangle;
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k <= i; ++k) {
      double sum = 0;
      for (size_t at = 0; at < x.size(); at += n) sum += static_cast<double>(x[at + i]) * x[at + k];
      triangle.push_back(static_cast<float>(sum));
    }
  }
  return triangle;
}

}  // namespace nibble
