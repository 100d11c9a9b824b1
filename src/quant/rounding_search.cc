#include "quant/rounding_search.h"

#include <algorithm>

#include "kernel/operations.h"

namespace nibble {
namespace {

constexpr int64_t kColumns = 32;  // whose slopes are worked out together
constexpr int kMostSweeps = 6;
constexpr int kMostSnapped = 8;

}  // namespace

int64_t RoundingSearch::improve(const BlockSteps& steps, int64_t block, const float* w,
                                int64_t rows, const FeedbackFactor& factor, const std::byte* params,
                                float* x) {
  steps_ = &steps;
  factor_ = &factor;
  block_ = block;
  rows_ = rows;
  params_ = params;
  const int64_t n = factor.columns;
  errors_.assign(static_cast<size_t>(n * kRows), 0.0f);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t k = 0; k < n; ++k)
      errors_[static_cast<size_t>(k * kRows + r)] = w[r * n + k] - x[r * n + k];
  }
  int64_t changed = 0;
  for (int i = 0; i < kMostSweeps; ++i) {
    constexpr int64_t kFew = 2000;  // one in so many: the rest is not worth another sweep
    const int64_t now = sweep(x);
    changed += now;
    if (now < rows * n / kFew) break;
  }
  return changed;
}

int64_t RoundingSearch::sweep(float* x) {
  int64_t changed = 0;
  for (int64_t first = 0; first < factor_->columns; first += kColumns) {
    find_slopes(first);
    for (int64_t column = first; column < first + kColumns; column += steps_->snap_weights) {
      for (int64_t r = 0; r < rows_; ++r)
        changed += improve_group(first, column, r, x) ? steps_->snap_weights : 0;
    }
  }
  return changed;
}

void RoundingSearch::find_slopes(int64_t first) {
  const int64_t n = factor_->columns;
  slopes_.assign(static_cast<size_t>(kColumns * kRows), 0.0f);
  operations().add_products(factor_->moments.data() + first, n, errors_.data(), kRows, n,
                            slopes_.data(), kRows, kColumns, kRows);
}

// What `more` errors in a group's columns add to the cost.
double RoundingSearch::change_of(int64_t column, int64_t row, const float* more) const {
  const int group = steps_->snap_weights;
  const float* slopes = slopes_.data() + column % kColumns * kRows + row;
  double change = 0;
  for (int i = 0; i < group; ++i) {
    if (more[i] == 0) continue;
    const float* h = factor_->moments_row(column + i) + column;
    double curve = 0;
    for (int k = 0; k < group; ++k) curve += static_cast<double>(h[k]) * more[k];
    change += more[i] * (2 * static_cast<double>(slopes[i * kRows]) + curve);
  }
  return change;
}

bool RoundingSearch::improve_group(int64_t first, int64_t column, int64_t row, float* x) {
  const int group = steps_->snap_weights;
  const int64_t n = factor_->columns;
  float* values = x + row * n + column;
  float* slopes = slopes_.data() + (column - first) * kRows + row;
  float wanted[kMostSnapped] = {}, weights[kMostSnapped] = {}, snapped[kMostSnapped],
        more[kMostSnapped];
  for (int i = 0; i < group; ++i) {
    weights[i] = factor_->moments_row(column + i)[column + i];
    wanted[i] = values[i] + slopes[i * kRows] / weights[i];
  }
  const std::byte* params =
      params_ + (row * (n / block_) + column / block_) * static_cast<int64_t>(steps_->params_bytes);
  steps_->snap(wanted, weights, params, static_cast<int>(column % block_), snapped);
  bool is_same = true;
  for (int i = 0; i < group; ++i) {
    more[i] = values[i] - snapped[i];
    is_same &= more[i] == 0;
  }
  if (is_same || change_of(column, row, more) >= 0) return false;
  for (int i = 0; i < group; ++i) {
    if (more[i] == 0) continue;
    values[i] = snapped[i];
    errors_[static_cast<size_t>((column + i) * kRows + row)] += more[i];
    const float* h = factor_->moments_row(column + i) + first;
    for (int64_t k = 0; k < kColumns; ++k)
      slopes_[static_cast<size_t>(k * kRows + row)] += more[i] * h[k];
  }
  return true;
}

}  // namespace nibble
