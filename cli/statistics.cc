#include "cli/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/terminal.h"
#include "nibble/readable.h"
#include "nibble/statistics.h"

namespace nibble::cli {
namespace {

using Json = nlohmann::ordered_json;

Json number_or_null(const std::optional<double>& number) { return number ? Json(*number) : Json(); }

Json to_json(const TensorStatistics& tensor) {
  Json json = {{"name", tensor.name},
               {"layer", tensor.layer < 0 ? Json() : Json(tensor.layer)},
               {"columns", tensor.columns},
               {"rows", tensor.rows},
               {"sum", tensor.sum},
               {"least", tensor.least},
               {"most", tensor.most},
               {"mean", tensor.mean},
               {"deviation", tensor.deviation},
               {"top_share", tensor.top_share},
               {"entropy", tensor.entropy},
               {"effective_columns", tensor.effective_columns},
               {"outliers", tensor.outliers},
               {"cosine_similarity", number_or_null(tensor.cosine_similarity)},
               {"moments", tensor.has_moments}};
  if (tensor.experts > 1) {
    json["experts"] = {{"count", tensor.experts},
                       {"unmet", tensor.unmet_experts},
                       {"least_share", tensor.least_share},
                       {"starved", tensor.starved_experts}};
  }
  return json;
}

Json to_json(const StatisticsView& view, const std::filesystem::path& path) {
  Json tensors = Json::array(), layers = Json::array();
  for (const TensorStatistics& tensor : view.tensors) tensors.push_back(to_json(tensor));
  for (const LayerStatistics& layer : view.layers) {
    layers.push_back({{"layer", layer.layer},
                      {"sum", layer.sum},
                      {"cosine_similarity", number_or_null(layer.cosine_similarity)}});
  }
  return {{"file", {{"path", path.string()}, {"format", view.format}, {"bytes", view.bytes}}},
          {"datasets", view.datasets},
          {"chunks", view.chunks},
          {"chunk_size", view.chunk_size},
          {"rows_are", view.counts_calls ? "calls" : "tokens"},
          {"tensors", tensors},
          {"layers", layers}};
}

// A name from outside may hold anything; a terminal should not.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

std::string cosine_text(const std::optional<double>& cosine) {
  return cosine ? fmt::format("{:.4f}", *cosine) : "-";
}

void print_head(const StatisticsView& view, const std::filesystem::path& path) {
  const bool has_moments = std::ranges::any_of(view.tensors, &TensorStatistics::has_moments);
  fmt::print("{}: statistics of calibration, {}{}, {}\n", path.string(), view.format,
             has_moments ? " with second moments" : "", readable_bytes(view.bytes));
  std::string source;
  for (const std::string& name : view.datasets)
    source += (source.empty() ? "" : ", ") + printable(name);
  if (view.chunks > 0)
    source += fmt::format("{}{} chunks", source.empty() ? "" : "; ", view.chunks);
  if (view.chunk_size > 0) source += fmt::format(" of {} tokens", view.chunk_size);
  if (!source.empty()) fmt::print("from {}\n", source);
  fmt::print("\n");
}

void print_tensors(const StatisticsView& view) {
  size_t width = 0;
  for (const TensorStatistics& tensor : view.tensors) width = std::max(width, tensor.name.size());
  width = std::min<size_t>(width, 40);
  fmt::print("  {:<{}} {:>8} {:>10} {:>10} {:>10} {:>8} {:>9} {:>6} {:>7}\n", "tensor", width,
             view.counts_calls ? "calls" : "rows", "sum", "mean", "most", "top 1 %", "effective",
             "> 1 sd", "cosine");
  for (const TensorStatistics& tensor : view.tensors) {
    const double columns = static_cast<double>(tensor.columns * tensor.experts);
    fmt::print(
        "  {:<{}} {:>8.0f} {:>10.4g} {:>10.4g} {:>10.4g} {:>6.1f} % {:>7.1f} % {:>4.1f} % {:>7}\n",
        printable(tensor.name), width, tensor.rows, tensor.sum, tensor.mean, tensor.most,
        100 * tensor.top_share, 100 * tensor.effective_columns / columns, 100 * tensor.outliers,
        cosine_text(tensor.cosine_similarity));
  }
}

void print_experts(const StatisticsView& view) {
  bool any = false;
  for (const TensorStatistics& tensor : view.tensors) {
    if (tensor.experts == 1) continue;
    if (!any) fmt::print("\nexperts\n");
    any = true;
    fmt::print(
        "  {:<32} {} of {} saw less than a hundredth of an equal share, {} nothing; least: "
        "{:.1f} % of it\n",
        printable(tensor.name), tensor.starved_experts.size(), tensor.experts, tensor.unmet_experts,
        100 * tensor.least_share);
  }
}

void print_layers(const StatisticsView& view) {
  if (view.layers.empty()) return;
  fmt::print("\n  {:>5} {:>12} {:>7}\n", "layer", "sum", "cosine");
  for (const LayerStatistics& layer : view.layers) {
    fmt::print("  {:>5} {:>12.4g} {:>7}\n", layer.layer, layer.sum,
               cosine_text(layer.cosine_similarity));
  }
}

void print_legend() {
  fmt::print(
      "\nsum, mean, most: of the importance, the mean square of what each column multiplies.\n"
      "top 1 %: what the largest hundredth of the columns has of the sum. effective: how many "
      "equal\n"
      "columns would spread it as evenly (2^entropy), of all. cosine: similarity with the layer "
      "before.\n");
}

}  // namespace

void show_statistics(const std::filesystem::path& path, bool json) {
  const StatisticsView view = view_statistics(path);
  if (json) return show_json(to_json(view, path));
  print_head(view, path);
  print_tensors(view);
  print_experts(view);
  print_layers(view);
  print_legend();
  std::fflush(stdout);
}

}  // namespace nibble::cli
