#include "flow/calibration_results.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "model/tensor_shapes.h"

namespace nibble {

std::string input_name(const Model::Parts& model, Role role, int64_t layer) {
  const bool tied = role == Role::kOutput && is_tied(model.source.tensors().tensors());
  return gguf_name({tied ? Role::kTokenEmbd : role, static_cast<uint64_t>(layer)});
}

std::string input_name(const Model::Parts& model, const InputStatistics& input) {
  return input_name(model, input.roles.front(), input.layer);
}

void check_finite(const Model::Parts& model, const InputStatistics& input) {
  const auto bad = std::ranges::find_if_not(
      input.sums, [](double sum) { return std::isfinite(static_cast<float>(sum)); });
  if (bad == input.sums.end()) return;
  fail(ErrorCode::kInvalidFile,
       "tensor {}: what column {} multiplies sums up to {}: the model computes numbers that are "
       "none; see what is wrong with it by nibble evaluate",
       input_name(model, input), (bad - input.sums.begin()) % input.columns, *bad);
}

ImportanceMatrix importance_of(const Model::Parts& model,
                               const std::vector<InputStatistics>& inputs) {
  ImportanceMatrix matrix;
  for (const InputStatistics& input : inputs) {
    const ImportanceEntry entry = {{input.sums.begin(), input.sums.end()},
                                   {input.counts.begin(), input.counts.end()}};
    for (const Role role : input.roles)
      matrix.entries.emplace(input_name(model, role, input.layer), entry);
  }
  return matrix;
}

std::vector<Calibration::StarvedExpert> starved_experts(const ImportanceMatrix& matrix) {
  constexpr double kShare = 0.01;
  std::vector<Calibration::StarvedExpert> starved;
  for (const auto& [name, entry] : matrix.entries) {
    double total = 0;
    for (const float count : entry.counts) total += count;
    const double least = kShare * total / static_cast<double>(entry.counts.size());
    for (size_t e = 0; e < entry.counts.size(); ++e) {
      if (entry.counts[e] < least)
        starved.push_back({name, static_cast<int64_t>(e), entry.counts[e]});
    }
  }
  return starved;
}

}  // namespace nibble
