#include "cli/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace nibble::cli {
namespace {

using Json = nlohmann::ordered_json;

void print_json(const LayerView& view, const Model& model, const Model& reference) {
  Json json = {{"model", model.path().string()}, {"reference", reference.path().string()}};
  for (const LayerDifference& layer : view.layers) {
    json["layers"].push_back({{"layer", layer.layer},
                              {"cosine", layer.cosine},
                              {"relative_error", layer.relative_error}});
  }
  for (const TensorDifference& tensor : view.tensors) {
    json["tensors"].push_back({{"name", tensor.name},
                               {"type", dtype_name(tensor.type)},
                               {"reference_type", dtype_name(tensor.reference_type)},
                               {"bytes", tensor.bytes},
                               {"relative_error", tensor.relative_error},
                               {"weighted_error", tensor.weighted_error}});
  }
  json["tokens"] = view.tokens;
  json["seconds"] = view.seconds;
  show_json(json);
}

// How long a bar the largest value has.
constexpr double kBar = 30;

std::string bar(double value, double largest) {
  const double length = largest > 0 ? kBar * value / largest : 0;
  return std::string(static_cast<size_t>(std::lround(length)), '#');
}

void print_layers(const LayerView& view) {
  double largest = 0;
  for (const LayerDifference& layer : view.layers)
    largest = std::max(largest, layer.relative_error);
  fmt::print("{:>5} {:>10} {:>8}\n", "layer", "cosine", "error");
  for (const LayerDifference& layer : view.layers) {
    fmt::print("{:>5} {:>10.6f} {:>7.3f}%  {}\n", layer.layer, layer.cosine,
               100 * layer.relative_error, bar(layer.relative_error, largest));
  }
}

void print_tensors(const LayerView& view) {
  fmt::print("\n{:<28} {:<8} {:>11} {:>8} {:>9}\n", "tensor", "type", "bytes", "error", "weighted");
  for (const TensorDifference& tensor : view.tensors) {
    const std::string weighted = std::isnan(tensor.weighted_error)
                                     ? "-"
                                     : fmt::format("{:.3f}%", 100 * tensor.weighted_error);
    fmt::print("{:<28} {:<8} {:>11} {:>7.3f}% {:>9}\n", tensor.name, dtype_name(tensor.type),
               tensor.bytes, 100 * tensor.relative_error, weighted);
  }
}

}  // namespace

void evaluate_layers(const Model& model, const std::filesystem::path& reference,
                     const std::string& text, const LayerOptions& options, const LoadOptions& load,
                     bool as_json) {
  const Model other(reference, as_stored(load));
  const LayerView view = compare_layers(model, other, text, options, load.run);
  if (as_json) return print_json(view, model, other);
  print_layers(view);
  print_tensors(view);
}

}  // namespace nibble::cli
