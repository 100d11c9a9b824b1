#include "quant/error_feedback.h"

#include <algorithm>
#include <limits>

#include "kernel/operations.h"
#include "quant/gain.h"

namespace nibble {
namespace {

// Columns whose errors reach the columns after them together: a multiple of every block.
constexpr int64_t kPanel = 256;
constexpr int kMostSnapped = 8;

// Scales fitted to a block's weights as they are before its first column is rounded do not know
// what feedback makes of the later ones. Afterwards that is known: fit to it, and round again.
constexpr int rounds_of(Effort effort) {
  return effort == Effort::kFast ? 1 : effort == Effort::kDefault ? 3 : 6;
}

}  // namespace

void FeedbackEncoder::encode(DType type, float* x, int64_t rows, const FeedbackFactor& factor,
                             Effort effort, std::byte* out) {
  if (factor.order.empty()) return encode_in_order(type, x, rows, factor, effort, out);
  const int64_t n = factor.columns, group = factor.order_columns();
  const int64_t group_bytes = group / block_weights(type) * block_bytes(type);
  ordered_.resize(static_cast<size_t>(rows * n));
  ordered_out_.resize(static_cast<size_t>(rows * (n / group) * group_bytes));
  put_in_order(factor, reinterpret_cast<const std::byte*>(x), rows,
               group * static_cast<int64_t>(sizeof(float)),
               std::as_writable_bytes(std::span(ordered_)).data());
  encode_in_order(type, ordered_.data(), rows, factor, effort, ordered_out_.data());
  put_back(factor, ordered_out_.data(), rows, group_bytes, out);
}

void FeedbackEncoder::encode_in_order(DType type, float* x, int64_t rows,
                                      const FeedbackFactor& factor, Effort effort, std::byte* out) {
  const int64_t n = factor.columns;
  steps_ = &codec(type).steps;
  factor_ = &factor;
  block_ = block_weights(type);
  x_ = x;
  original_.assign(x, x + rows * n);
  residuals_.resize(original_.size());
  if (!factor.moments.empty())
    all_params_.resize(static_cast<size_t>(rows * (n / block_)) * steps_->params_bytes);
  errors_.resize(static_cast<size_t>(kPanel * kRows));
  const int64_t row_bytes = n / block_ * block_bytes(type);
  for (int64_t panel = 0; panel < n; panel += kPanel) {
    const int64_t end = std::min(panel + kPanel, n);
    for (int64_t column = panel; column < end; column += block_) {
      for (int64_t first = 0; first < rows; first += steps_->fit_blocks) {
        const int64_t count = std::min<int64_t>(steps_->fit_blocks, rows - first);
        round_blocks({column, end - column, first, count}, effort,
                     out + first * row_bytes + column / block_ * block_bytes(type), row_bytes);
      }
    }
    if (end == n) break;
    operations().add_products(errors_.data(), kRows, factor.row(panel) + end, n, end - panel,
                              x + end, n, rows, n - end);
  }
  if (!factor.moments.empty()) search(rows, out, row_bytes);
  if (!has_gain(type)) return;
  answers_.assign(original_.size(), 0.0f);
  add_answers(factor, original_.data(), rows, answers_.data());
  for (int64_t r = 0; r < rows; ++r) scale_row(type, gain(r), n, out + r * row_bytes);
}

void FeedbackEncoder::search(int64_t rows, std::byte* out, int64_t row_bytes) {
  const int64_t n = factor_->columns, blocks = n / block_;
  if (search_.improve(*steps_, block_, original_.data(), rows, *factor_, all_params_.data(), x_) ==
      0)
    return;
  const auto params_bytes = static_cast<int64_t>(steps_->params_bytes);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t b = 0; b < blocks; ++b) {
      steps_->pack(x_ + r * n + b * block_, factor_->weights.data() + b * block_,
                   all_params_.data() + (r * blocks + b) * params_bytes,
                   out + r * row_bytes + b * (row_bytes / blocks));
    }
  }
  std::vector<float>& errors = answers_;
  errors.resize(original_.size());
  for (size_t i = 0; i < errors.size(); ++i) errors[i] = original_[i] - x_[i];
  std::ranges::fill(residuals_, 0.0f);
  add_answers(*factor_, errors.data(), rows, residuals_.data());
}

void FeedbackEncoder::round_blocks(const Blocks& blocks, Effort effort, std::byte* out,
                                   int64_t row_bytes) {
  const int64_t n = factor_->columns;
  const float* weights = factor_->weights.data() + blocks.column;
  weights_.resize(static_cast<size_t>(blocks.rows * block_));
  targets_.resize(weights_.size());
  state_.resize(static_cast<size_t>(blocks.rows * blocks.reach));
  least_costs_.assign(static_cast<size_t>(blocks.rows), std::numeric_limits<double>::infinity());
  params_.resize(static_cast<size_t>(blocks.rows) * steps_->params_bytes);
  best_params_.resize(params_.size());
  for (int64_t r = 0; r < blocks.rows; ++r) {
    const float* x = x_ + (blocks.first + r) * n + blocks.column;
    std::copy_n(weights, block_, weights_.data() + r * block_);
    std::copy_n(x, block_, targets_.data() + r * block_);
    std::copy_n(x, blocks.reach, state_.data() + r * blocks.reach);
  }
  for (int i = 0; i < rounds_of(effort); ++i) {
    steps_->fit(targets_.data(), weights_.data(), static_cast<int>(blocks.rows), effort,
                params_.data());
    for (int64_t r = 0; r < blocks.rows; ++r) {
      const auto offset = static_cast<size_t>(r) * steps_->params_bytes;
      double& least = least_costs_[static_cast<size_t>(r)];
      const double cost = round_row(blocks, r, params_.data() + offset);
      if (cost >= least) continue;
      least = cost;
      std::copy_n(params_.data() + offset, steps_->params_bytes, best_params_.data() + offset);
    }
  }
  for (int64_t r = 0; r < blocks.rows; ++r) {
    const std::byte* params = best_params_.data() + static_cast<size_t>(r) * steps_->params_bytes;
    round_row(blocks, r, params);
    steps_->pack(x_ + (blocks.first + r) * n + blocks.column, weights, params, out + r * row_bytes);
    if (factor_->moments.empty()) continue;
    const int64_t index = (blocks.first + r) * (n / block_) + blocks.column / block_;
    std::copy_n(params, steps_->params_bytes,
                all_params_.data() + index * static_cast<int64_t>(steps_->params_bytes));
  }
}

// Rounds the block's weights one after another, from the state before them, and tells the columns
// after each of its error. Leaves in targets_ what they were just before. Returns the cost.
double FeedbackEncoder::round_row(const Blocks& blocks, int64_t row, const std::byte* params) {
  const int64_t n = factor_->columns, at = (blocks.first + row) * n + blocks.column;
  const float* weights = factor_->weights.data() + blocks.column;
  const float* original = original_.data() + at;
  float *x = x_ + at, *residuals = residuals_.data() + at;
  float* targets = targets_.data() + row * block_;
  float* errors = errors_.data() + blocks.column % kPanel * kRows + blocks.first + row;
  std::copy_n(state_.data() + row * blocks.reach, blocks.reach, x);
  double cost = 0;
  for (int64_t i = 0; i < block_; i += steps_->snap_weights) {
    float snapped[kMostSnapped];
    steps_->snap(x + i, weights + i, params, static_cast<int>(i), snapped);
    for (int64_t k = i; k < i + steps_->snap_weights; ++k) {
      targets[k] = x[k];
      residuals[k] = x[k] - snapped[k - i];
      cost += static_cast<double>(weights[k]) * residuals[k] * residuals[k];
      const float error = original[k] - snapped[k - i];
      errors[k * kRows] = error;
      x[k] = snapped[k - i];
      const float* u = factor_->row(blocks.column + k) + blocks.column;
      for (int64_t c = i + steps_->snap_weights; c < blocks.reach; ++c) x[c] += error * u[c];
    }
  }
  return cost;
}

// <w, w> / <w, q> by H: with z = w U and r = (w - q) U the sums of D z^2 and D z (z - r), less what
// was added to H.
double FeedbackEncoder::gain(int64_t row) const {
  const int64_t n = factor_->columns;
  const float* z = answers_.data() + row * n;
  const float* r = residuals_.data() + row * n;
  const float* w = original_.data() + row * n;
  const float* q = x_ + row * n;
  double whole = 0, kept = 0;
  for (int64_t k = 0; k < n; ++k) {
    const double weighted = static_cast<double>(factor_->weights[static_cast<size_t>(k)]) * z[k];
    const double added = static_cast<double>(factor_->added[static_cast<size_t>(k)]) * w[k];
    whole += weighted * z[k] - added * w[k];
    kept += weighted * (static_cast<double>(z[k]) - r[k]) - added * q[k];
  }
  return kept > 0 ? whole / kept : 1;
}

}  // namespace nibble
