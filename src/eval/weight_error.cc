#include "eval/weight_error.h"

#include <cmath>
#include <vector>

#include "codec/codec.h"

namespace nibble {
namespace {

// The matrix's weights as floats.
void decode_row(const TensorView& matrix, int64_t index, std::vector<float>& row) {
  codec(matrix.type).decode(matrix.row(index), matrix.columns, row.data());
  if (matrix.scale == 1.0f) return;
  for (float& x : row) x *= matrix.scale;
}

// Both rows as floats.
WeightError error_of_row(const float* row, const float* reference, int64_t columns,
                         std::span<const double> factors) {
  WeightError error;
  for (int64_t c = 0; c < columns; ++c) {
    const double r = reference[c], d = row[c] - r;
    error.norm += r * r;
    error.difference += d * d;
    if (factors.empty()) continue;
    const double factor = factors[static_cast<size_t>(c)];
    error.weighted_norm += factor * r * r;
    error.weighted_difference += factor * d * d;
  }
  return error;
}

}  // namespace

WeightError& WeightError::operator+=(const WeightError& other) {
  norm += other.norm;
  difference += other.difference;
  weighted_norm += other.weighted_norm;
  weighted_difference += other.weighted_difference;
  return *this;
}

double WeightError::relative() const { return norm == 0 ? 0 : std::sqrt(difference / norm); }

double WeightError::weighted() const { return std::sqrt(weighted_difference / weighted_norm); }

WeightError weight_error(const TensorView& matrix, const TensorView& reference,
                         std::span<const double> factors, ThreadPool& pool) {
  std::vector<WeightError> rows(static_cast<size_t>(matrix.rows));
  pool.run(matrix.rows, 16, [&](int64_t begin, int64_t end, int) {
    const auto columns = static_cast<size_t>(matrix.columns);
    std::vector<float> row(columns), expected(columns);
    for (int64_t i = begin; i < end; ++i) {
      decode_row(matrix, i, row);
      decode_row(reference, i, expected);
      rows[static_cast<size_t>(i)] =
          error_of_row(row.data(), expected.data(), matrix.columns, factors);
    }
  });
  WeightError sum;
  for (const WeightError& row : rows) sum += row;
  return sum;
}

}  // namespace nibble
