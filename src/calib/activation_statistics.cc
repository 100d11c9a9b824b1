#include "calib/activation_statistics.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "kernel/operations.h"

namespace nibble {
namespace {

constexpr int64_t kTile = 64;    // columns that a thread works on at a time
constexpr int64_t kBlock = 256;  // and as many of those that it pairs them with

constexpr int64_t kStrip = 16;    // columns whose squares are added up in registers
constexpr int64_t kSquares = 16;  // rows of them, in float

// Of `count` columns, at most kStrip: += the squares of `rows` rows.
template <class Count>
void add_strip(const float* x, int64_t rows, int64_t stride, Count count, double* sums) {
  for (int64_t row = 0; row < rows; row += kSquares) {
    const int64_t end = std::min(row + kSquares, rows);
    float sum[kStrip] = {};
    for (int64_t r = row; r < end; ++r) {
      for (int64_t c = 0; c < count; ++c) sum[c] += x[r * stride + c] * x[r * stride + c];
    }
    for (int64_t c = 0; c < count; ++c) sums[c] += static_cast<double>(sum[c]);
  }
}

// Rows of the triangle from `first` on, and of each the columns of a block: += products [kTile,
// kBlock].
void add_to_triangle(const float* products, int64_t first, int64_t count, int64_t begin,
                     int64_t end, std::vector<double>& triangle) {
  for (int64_t i = first; i < first + count; ++i, products += kBlock) {
    double* row = triangle.data() + triangle_size(i);
    const int64_t row_end = std::min(end, i + 1);
    for (int64_t k = begin; k < row_end; ++k) row[k] += static_cast<double>(products[k - begin]);
  }
}

}  // namespace

ActivationStatistics::ActivationStatistics(const ModelConfig& config, MomentLayers moments,
                                           ThreadPool& pool)
    : config_(config),
      moments_(moments),
      pool_(pool),
      index_(static_cast<size_t>(config.layers) * kRoleCount) {}

ActivationStatistics::ActivationStatistics(const ModelConfig& config, MomentLayers moments,
                                           ThreadPool& pool, std::vector<InputStatistics> measured)
    : ActivationStatistics(config, moments, pool) {
  inputs_ = std::move(measured);
  for (size_t i = 0; i < inputs_.size(); ++i)
    index_of(inputs_[i].roles.front(), inputs_[i].layer) = i + 1;
}

size_t& ActivationStatistics::index_of(Role first_role, int64_t layer) {
  return index_[static_cast<size_t>(layer) * kRoleCount + static_cast<size_t>(first_role)];
}

InputStatistics& ActivationStatistics::input(std::span<const Role> roles, int64_t layer,
                                             int64_t columns) {
  size_t& index = index_of(roles.front(), layer);
  if (index == 0) {
    const bool is_stacked = role_row(roles.front()).is_stacked();
    const auto experts = static_cast<size_t>(is_stacked ? config_.matrices_of(roles.front()) : 1);
    InputStatistics& added = inputs_.emplace_back();
    added.roles.assign(roles.begin(), roles.end());
    added.layer = layer;
    added.columns = columns;
    added.sums.resize(experts * static_cast<size_t>(columns));
    added.counts.resize(experts);
    added.moments.resize(experts);
    index = inputs_.size();
  }
  return inputs_[index - 1];
}

void ActivationStatistics::on_input(std::span<const Role> roles, int64_t layer, int64_t expert,
                                    const ObservedRows& rows) {
  InputStatistics& to = input(roles, layer, rows.columns);
  to.counts[static_cast<size_t>(expert)] += static_cast<double>(rows.rows);
  add_squares(rows, to.sums.data() + expert * rows.columns);
  const int64_t counted_as = roles.front() == Role::kOutput ? config_.layers - 1 : layer;
  if (moments_.contains(counted_as) && has_moments(rows.columns))
    add_moments(rows, to.moments[static_cast<size_t>(expert)]);
}

void ActivationStatistics::add_squares(const ObservedRows& rows, double* sums) {
  pool_.run((rows.columns + kTile - 1) / kTile, 1, [&](int64_t tile, int64_t, int) {
    const int64_t begin = tile * kTile, end = std::min(begin + kTile, rows.columns);
    int64_t c = begin;
    for (; c + kStrip <= end; c += kStrip) {
      add_strip(rows.x + c, rows.rows, rows.columns, std::integral_constant<int64_t, kStrip>(),
                sums + c);
    }
    if (c < end) add_strip(rows.x + c, rows.rows, rows.columns, end - c, sums + c);
  });
}

// A tile of columns at a time, against blocks of those before it, whose products stay in the cache
// until they are added up.
void ActivationStatistics::add_moments(const ObservedRows& rows, std::vector<double>& moments) {
  const int64_t n = rows.columns;
  moments.resize(triangle_size(n));
  const auto add_products = operations().add_products;
  const int64_t tiles = (n + kTile - 1) / kTile;
  pool_.run(tiles, 1, [&](int64_t from_last, int64_t, int) {  // the long ones first
    const int64_t first = (tiles - 1 - from_last) * kTile, count = std::min(kTile, n - first);
    std::vector<float> columns(static_cast<size_t>(std::min(rows.rows, kRowsInFloat) * kTile));
    std::vector<float> products(static_cast<size_t>(kTile * kBlock));
    for (int64_t row = 0; row < rows.rows; row += kRowsInFloat) {
      const int64_t depth = std::min(kRowsInFloat, rows.rows - row);
      for (int64_t r = 0; r < depth; ++r)
        std::copy_n(rows.row(row + r) + first, count, columns.data() + r * kTile);
      for (int64_t begin = 0; begin < first + count; begin += kBlock) {
        const int64_t end = std::min(begin + kBlock, first + count);
        std::ranges::fill(products, 0.0f);
        add_products(columns.data(), kTile, rows.row(row) + begin, n, depth, products.data(),
                     kBlock, count, end - begin);
        add_to_triangle(products.data(), first, count, begin, end, moments);
      }
    }
  });
}

}  // namespace nibble
