#include "calib/activation_statistics.h"

#include <algorithm>

#include "kernel/operations.h"

namespace nibble {
namespace {

constexpr int64_t kTile = 64;  // columns that a thread works on at a time

}  // namespace

ActivationStatistics::ActivationStatistics(const ModelConfig& config, MomentLayers moments,
                                           ThreadPool& pool)
    : config_(config),
      moments_(moments),
      pool_(pool),
      index_(static_cast<size_t>(config.layers) * kRoleCount) {}

InputStatistics& ActivationStatistics::input(std::span<const Role> roles, int64_t layer,
                                             int64_t columns) {
  size_t& index =
      index_[static_cast<size_t>(layer) * kRoleCount + static_cast<size_t>(roles.front())];
  if (index == 0) {
    const bool is_stacked = role_row(roles.front()).is_stacked();
    const auto experts = static_cast<size_t>(is_stacked ? config_.experts : 1);
    const auto count = experts * static_cast<size_t>(columns);
    InputStatistics& added = inputs_.emplace_back();
    added.roles.assign(roles.begin(), roles.end());
    added.layer = layer;
    added.columns = columns;
    added.sums.resize(count);
    added.counts.resize(experts);
    added.moments.resize(experts);
    chunk_.emplace_back(count);
    index = inputs_.size();
  }
  return inputs_[index - 1];
}

void ActivationStatistics::on_input(std::span<const Role> roles, int64_t layer, int64_t expert,
                                    const ObservedRows& rows) {
  InputStatistics& to = input(roles, layer, rows.columns);
  auto& chunk = chunk_[static_cast<size_t>(&to - inputs_.data())];
  to.counts[static_cast<size_t>(expert)] += static_cast<float>(rows.rows);
  add_squares(rows, chunk.data() + expert * rows.columns);
  const int64_t counted_as = roles.front() == Role::kOutput ? config_.layers - 1 : layer;
  if (moments_.contains(counted_as) && has_moments(rows.columns))
    add_moments(rows, to.moments[static_cast<size_t>(expert)]);
}

void ActivationStatistics::add_squares(const ObservedRows& rows, double* sums) {
  pool_.run((rows.columns + kTile - 1) / kTile, 1, [&](int64_t tile, int64_t, int) {
    const int64_t begin = tile * kTile, end = std::min(begin + kTile, rows.columns);
    for (int64_t r = 0; r < rows.rows; ++r) {
      const float* x = rows.row(r);
      for (int64_t c = begin; c < end; ++c) sums[c] += static_cast<double>(x[c]) * x[c];
    }
  });
}

void ActivationStatistics::add_moments(const ObservedRows& rows, std::vector<float>& moments) {
  const int64_t n = rows.columns;
  moments.resize(static_cast<size_t>(n * n));
  const auto add_products = operations().add_products;
  pool_.run((n + kTile - 1) / kTile, 1, [&](int64_t tile, int64_t, int) {
    const int64_t first = tile * kTile, count = std::min(kTile, n - first);
    std::vector<float> columns(static_cast<size_t>(rows.rows * kTile));
    for (int64_t r = 0; r < rows.rows; ++r)
      std::copy_n(rows.row(r) + first, count, columns.data() + r * kTile);
    add_products(columns.data(), kTile, rows.x, n, rows.rows, moments.data() + first * n, n, count,
                 first + count);
  });
}

void ActivationStatistics::end_chunk() {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    for (size_t k = 0; k < chunk_[i].size(); ++k) {
      inputs_[i].sums[k] += static_cast<float>(chunk_[i][k]);
      chunk_[i][k] = 0;
    }
  }
}

}  // namespace nibble
