#include "eval/layer_error.h"

#include <algorithm>
#include <cmath>

namespace nibble {

RecordedLayers::RecordedLayers(const ModelConfig& config)
    : layers_(static_cast<size_t>(config.layers)),
      squares_(static_cast<size_t>(config.layers) * kRoleCount) {}

void RecordedLayers::on_input(std::span<const Role> roles, int64_t layer, int64_t expert,
                              const ObservedRows& rows) {
  for (const Role role : roles) {
    auto& of_experts = squares(role, layer);
    of_experts.resize(std::max(of_experts.size(), static_cast<size_t>(expert + 1)));
    Squares& to = of_experts[static_cast<size_t>(expert)];
    to.sums.resize(static_cast<size_t>(rows.columns));
    to.rows += rows.rows;
    for (int64_t r = 0; r < rows.rows; ++r) {
      const float* x = rows.row(r);
      for (double& sum : to.sums) sum += static_cast<double>(*x) * *x, ++x;
    }
  }
}

void RecordedLayers::on_layer(int64_t layer, const ObservedRows& rows) {
  columns_ = rows.columns;
  layers_[static_cast<size_t>(layer)].assign(rows.x, rows.x + rows.rows * rows.columns);
}

ObservedRows RecordedLayers::layer(int64_t layer) const {
  const auto& rows = layers_[static_cast<size_t>(layer)];
  return {rows.data(), static_cast<int64_t>(rows.size()) / columns_, columns_};
}

std::vector<double> RecordedLayers::mean_squares(Role role, int64_t layer, int64_t expert) const {
  const auto& of_experts =
      squares_[static_cast<size_t>(layer) * kRoleCount + static_cast<size_t>(role)];
  if (static_cast<size_t>(expert) >= of_experts.size()) return {};
  const Squares& squares = of_experts[static_cast<size_t>(expert)];
  std::vector<double> means = squares.sums;
  for (double& mean : means) mean /= static_cast<double>(squares.rows);
  return means;
}

ComparedLayers::ComparedLayers(const ModelConfig& config, const RecordedLayers& reference)
    : reference_(reference), layers_(static_cast<size_t>(config.layers)) {}

void ComparedLayers::on_layer(int64_t layer, const ObservedRows& rows) {
  const ObservedRows expected = reference_.layer(layer);
  Sums& sums = layers_[static_cast<size_t>(layer)];
  for (int64_t r = 0; r < rows.rows; ++r) {
    const float *a = rows.row(r), *b = expected.row(r);
    double aa = 0, ab = 0, bb = 0, difference = 0;
    for (int64_t c = 0; c < rows.columns; ++c) {
      const double x = a[c], y = b[c];
      aa += x * x, ab += x * y, bb += y * y, difference += (x - y) * (x - y);
    }
    sums.cosines += ab / std::sqrt(aa * bb);
    sums.errors += difference / bb;
  }
  sums.tokens += rows.rows;
}

double ComparedLayers::cosine(int64_t layer) const {
  const Sums& sums = layers_[static_cast<size_t>(layer)];
  return sums.cosines / static_cast<double>(sums.tokens);
}

double ComparedLayers::relative_error(int64_t layer) const {
  const Sums& sums = layers_[static_cast<size_t>(layer)];
  return std::sqrt(sums.errors / static_cast<double>(sums.tokens));
}

}  // namespace nibble
