#include "flow/column_scales.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "codec/codec.h"
#include "flow/run_support.h"
#include "flow/tensor_rounding.h"
#include "model/roles.h"
#include "plan/plan.h"

namespace nibble {
namespace {

constexpr int kExponents = 10;  // 0, 0.1, ..., 0.9

class Layer {
 public:
  Layer(const std::vector<TensorInfo>& tensors, uint64_t layer)
      : tensors_(tensors), layer_(layer) {}

  std::optional<size_t> find(Role role) const { return find(gguf_name({role, layer_})); }
  bool has_bias(Role role) const {
    std::string name = gguf_name({role, layer_});
    name.replace(name.rfind(".weight"), std::string::npos, ".bias");
    return find(name).has_value();
  }
  // The matrices of these roles, when all are there.
  std::vector<size_t> all(std::initializer_list<Role> roles) const {
    std::vector<size_t> found;
    for (const Role role : roles) {
      if (const auto tensor = find(role)) found.push_back(*tensor);
    }
    return found.size() == roles.size() ? found : std::vector<size_t>{};
  }

 private:
  std::optional<size_t> find(const std::string& name) const {
    const auto found = std::ranges::find(tensors_, name, &TensorInfo::name);
    if (found == tensors_.end()) return std::nullopt;
    return static_cast<size_t>(found - tensors_.begin());
  }

  const std::vector<TensorInfo>& tensors_;
  uint64_t layer_;
};

void add_from_norm(const Layer& layer, Role norm, std::initializer_list<Role> readers,
                   std::vector<ScalableInput>& inputs) {
  const auto producer = layer.find(norm);
  auto matrices = layer.all(readers);
  if (producer && !matrices.empty() && !layer.has_bias(norm))
    inputs.push_back({std::move(matrices), *producer});
}

void add_values(const Layer& layer, const std::vector<TensorInfo>& tensors, uint64_t heads,
                uint64_t kv_heads, std::vector<ScalableInput>& inputs) {
  const auto values = layer.find(Role::kAttnV), output = layer.find(Role::kAttnOutput);
  if (!values || !output || layer.has_bias(Role::kAttnV) || heads == 0 || kv_heads == 0) return;
  const uint64_t columns = tensors[*output].shape.columns();
  const uint64_t rows = tensors[*values].shape.rows();
  if (heads % kv_heads != 0 || columns % heads != 0 || columns / heads * kv_heads != rows) return;
  inputs.push_back({{*output}, *values, heads / kv_heads, columns / heads});
}

// The root mean square of each of the producer's values, and the column's that read them.
std::vector<double> activations(const ScalableInput& input, std::span<const float> importance,
                                uint64_t values) {
  std::vector<double> squares(values);
  for (uint64_t c = 0; c < importance.size(); ++c) {
    const uint64_t head = input.head_columns == 0 ? 0 : c / input.head_columns / input.repeats;
    const uint64_t value =
        input.head_columns == 0 ? c : head * input.head_columns + c % input.head_columns;
    squares[value] += static_cast<double>(importance[c]) / static_cast<double>(input.repeats);
  }
  for (double& square : squares) square = std::sqrt(square);
  return squares;
}

// Factors around 1: the largest times the smallest is 1.
std::vector<float> factors(const std::vector<double>& activations, double exponent) {
  constexpr double kLeast = 1e-4;  // of the largest: columns that nothing reaches are no reason
  const double largest = *std::ranges::max_element(activations);
  std::vector<float> result;
  const double middle =
      std::pow(std::max(kLeast, *std::ranges::min_element(activations) / largest), exponent / 2);
  for (const double a : activations) {
    result.push_back(
        static_cast<float>(std::pow(std::max(kLeast, a / largest), exponent) / middle));
  }
  return result;
}

std::vector<float> of_columns(const ScalableInput& input, const std::vector<float>& values,
                              uint64_t columns) {
  if (input.head_columns == 0) return values;
  std::vector<float> result;
  for (uint64_t c = 0; c < columns; ++c) {
    const uint64_t head = c / input.head_columns / input.repeats;
    result.push_back(values[head * input.head_columns + c % input.head_columns]);
  }
  return result;
}

std::vector<float> divided_by_squares(std::span<const float> importance,
                                      const std::vector<float>& scales) {
  std::vector<float> result(importance.begin(), importance.end());
  for (size_t c = 0; c < result.size(); ++c) result[c] /= scales[c] * scales[c];
  return result;
}

class Search {
 public:
  Search(const ModelSource& model, const std::vector<DType>& types, const EncodingRules& rules,
         ThreadPool& pool)
      : source_(model.tensors()), types_(types), rules_(rules), pool_(pool) {}

  // Whether anything of it is rounded, by columns that are known to differ.
  bool is_worth_it(const ScalableInput& input) const {
    return std::ranges::all_of(input.matrices, [&](size_t tensor) {
      return !rules_.importance.of(tensor).empty() &&
             codec(types_[tensor]).domain == Domain::kInteger;
    });
  }

  void search(const ScalableInput& input, ColumnScales& found) {
    const size_t first = input.matrices.front();
    const TensorInfo& producer = source_.tensors()[input.producer];
    const bool is_norm = producer.shape.rank == 1;
    const uint64_t values = is_norm ? producer.shape.columns() : producer.shape.rows();
    const auto rms = activations(input, rules_.importance.of(first), values);
    if (*std::ranges::max_element(rms) <= 0) return;
    const auto plain =
        rules_.feedback.factors(rules_.feedback.group_of(first), rules_.effort, pool_);
    std::vector<double> wholes;  // of each matrix, unscaled: what relative errors count
    double least = 0, without = 0, best = 0;
    for (int i = 0; i < kExponents; ++i) {
      const double exponent = i / static_cast<double>(kExponents);
      const auto columns =
          of_columns(input, factors(rms, exponent), source_.tensors()[first].shape.columns());
      const double error = error_with(input, columns, plain, wholes);
      if (i == 0) without = least = error;
      if (error < least) least = error, best = exponent;
    }
    if (best == 0) return;
    const auto of_values = factors(rms, best);
    const auto columns = of_columns(input, of_values, source_.tensors()[first].shape.columns());
    for (const size_t tensor : input.matrices) found.of_tensors[tensor].columns = columns;
    std::vector<float> inverse;
    for (const float factor : of_values) inverse.push_back(1.0f / factor);
    TensorScales& of_producer = found.of_tensors[input.producer];
    (is_norm ? of_producer.columns : of_producer.rows) = std::move(inverse);
    found.inputs.push_back({input.matrices, columns, best, without > 0 ? least / without : 1});
  }

 private:
  double error_with(const ScalableInput& input, const std::vector<float>& columns,
                    const std::vector<std::optional<FeedbackFactor>>& plain,
                    std::vector<double>& wholes) const {
    std::map<size_t, TensorScales> scales;
    for (const size_t tensor : input.matrices) scales[tensor].columns = columns;
    const Scaled scaled(source_, scales);
    std::vector<std::optional<FeedbackFactor>> feedback;
    for (const auto& factor : plain)
      feedback.push_back(factor ? std::optional(scaled_factor(*factor, columns)) : std::nullopt);
    double error = 0;
    const bool is_first = wholes.empty();
    for (size_t i = 0; i < input.matrices.size(); ++i) {
      const size_t tensor = input.matrices[i];
      const auto importance = divided_by_squares(rules_.importance.of(tensor), columns);
      const TensorRounding rounding(scaled, tensor, {importance, rules_.effort, feedback});
      const auto costs = rounding.sample({types_[tensor]}, pool_);
      if (is_first) wholes.push_back(costs.whole);
      error += wholes[i] * costs.relative(0);
    }
    return error;
  }

  const TensorSource& source_;
  const std::vector<DType>& types_;
  const EncodingRules& rules_;
  ThreadPool& pool_;
};

}  // namespace

std::vector<ScalableInput> scalable_inputs(const ModelSource& model) {
  const auto& tensors = model.tensors().tensors();
  const auto context = recipe_context(tensors, model.metadata);
  const std::string prefix = context.arch + ".attention.";
  const uint64_t heads = model.metadata.find_uint(prefix + "head_count").value_or(0);
  const uint64_t kv_heads = model.metadata.find_uint(prefix + "head_count_kv").value_or(heads);
  std::vector<ScalableInput> inputs;
  for (uint64_t l = 0; l < context.n_layer; ++l) {
    const Layer layer(tensors, l);
    if (!layer.find(Role::kFfnNorm)) continue;  // attention's norm may then be the other's, too
    add_from_norm(layer, Role::kAttnNorm, {Role::kAttnQ, Role::kAttnK, Role::kAttnV}, inputs);
    add_values(layer, tensors, heads, kv_heads, inputs);
    if (layer.find(Role::kFfnRouter)) continue;
    add_from_norm(layer, Role::kFfnNorm, {Role::kFfnGate, Role::kFfnUp}, inputs);
    const auto gated = layer.all({Role::kFfnGate, Role::kFfnUp, Role::kFfnDown});
    if (!gated.empty() && !layer.has_bias(Role::kFfnUp)) inputs.push_back({{gated[2]}, gated[1]});
  }
  return inputs;
}

ColumnScales find_column_scales(const ModelSource& model, const std::vector<DType>& types,
                                const EncodingRules& rules, ThreadPool& pool,
                                const RunOptions& run) {
  const auto inputs = scalable_inputs(model);
  ColumnScales found;
  Search search(model, types, rules, pool);
  Phase phase(run, "searching scales", "inputs", inputs.size());
  for (const ScalableInput& input : inputs) {
    if (search.is_worth_it(input)) search.search(input, found);
    phase.advance(1);
  }
  return found;
}

void apply_column_scales(const ColumnScales& scales, ModelSource& model, EncodingRules& rules) {
  for (const ColumnScales::Input& input : scales.inputs) {
    for (const size_t tensor : input.matrices)
      rules.importance.replace(tensor,
                               divided_by_squares(rules.importance.of(tensor), input.columns));
    rules.feedback.scale(rules.feedback.group_of(input.matrices.front()), input.columns);
  }
  model.scaled = std::make_unique<Scaled>(model.tensors(), scales.of_tensors);
}

}  // namespace nibble
