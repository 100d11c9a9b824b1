// nibble::view_statistics: what a file of statistics says about each tensor. The figures that
// llama-imatrix --show-statistics has are computed as it does (llama.cpp's tools/imatrix, 2025).
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

#include "base/error.h"
#include "base/input_file.h"
#include "base/parse_number.h"
#include "file/imatrix.h"
#include "file/moments.h"
#include "flow/feedback.h"
#include "nibble/statistics.h"

namespace nibble {
namespace {

constexpr double kTopShare = 0.01;      // of the columns
constexpr double kStarvedShare = 0.01;  // of an equal share of the rows

// Means of the experts that met something, one after another.
std::vector<double> means_of(const ImportanceEntry& entry) {
  const size_t columns = entry.sums.size() / entry.counts.size();
  std::vector<double> means;
  for (size_t i = 0; i < entry.sums.size(); ++i) {
    const auto count = static_cast<double>(entry.counts[i / columns]);
    if (count > 0) means.push_back(static_cast<double>(entry.sums[i]) / count);
  }
  return means;
}

void measure_spread(std::vector<double> means, TensorStatistics& result) {
  if (means.empty()) return;
  const auto count = static_cast<double>(means.size());
  std::ranges::sort(means, std::greater());
  result.most = means.front();
  result.least = means.back();
  result.sum = std::accumulate(means.begin(), means.end(), 0.0);
  result.mean = result.sum / count;
  double squares = 0;
  for (const double mean : means) squares += (mean - result.mean) * (mean - result.mean);
  result.deviation = means.size() > 1 ? std::sqrt(squares / (count - 1)) : 0;
  const auto outliers = std::ranges::count_if(
      means, [&](double mean) { return std::abs(mean - result.mean) > result.deviation; });
  result.outliers = result.deviation > 0 ? static_cast<double>(outliers) / count : 0;
  if (result.sum <= 0) return;
  const auto top = static_cast<std::ptrdiff_t>(std::max(1.0, std::round(kTopShare * count)));
  result.top_share = std::accumulate(means.begin(), means.begin() + top, 0.0) / result.sum;
  for (const double mean : means) {
    const double share = mean / result.sum;
    if (share > 0) result.entropy -= share * std::log2(share);
  }
  result.effective_columns = std::exp2(result.entropy);
}

void measure_coverage(const ImportanceEntry& entry, TensorStatistics& result) {
  for (const float count : entry.counts) result.rows += static_cast<double>(count);
  const double equal = result.rows / static_cast<double>(entry.counts.size());
  if (equal <= 0) {
    result.unmet_experts = entry.counts.size();
    result.least_share = 0;
    return;
  }
  for (size_t e = 0; e < entry.counts.size(); ++e) {
    const double share = static_cast<double>(entry.counts[e]) / equal;
    result.least_share = std::min(result.least_share, share);
    if (share < kStarvedShare) result.starved_experts.push_back(static_cast<int64_t>(e));
    if (share == 0) ++result.unmet_experts;
  }
}

// Of one vector with another.
struct Cosine {
  double product = 0, own = 0, other = 0;

  // With zeros for experts that met nothing, so that both have the same columns.
  void add(const ImportanceEntry& a, const ImportanceEntry& b) {
    const size_t columns = a.sums.size() / a.counts.size();
    const auto mean = [&](const ImportanceEntry& entry, size_t i) {
      const float count = entry.counts[entry.counts.size() == 1 ? 0 : i / columns];
      return count > 0 ? static_cast<double>(entry.sums[i]) / static_cast<double>(count) : 0.0;
    };
    for (size_t i = 0; i < a.sums.size(); ++i) {
      const double x = mean(a, i), y = mean(b, i);
      product += x * y, own += x * x, other += y * y;
    }
  }
  std::optional<double> value() const {
    if (own <= 0 || other <= 0) return std::nullopt;
    return product / std::sqrt(own * other);
  }
};

// A tensor's layer, and its name within it.
struct Place {
  int64_t layer = -1;
  std::string rest;
};

Place place_of(const std::string& name) {
  constexpr std::string_view kLayer = "blk.";
  const size_t end = name.find('.', kLayer.size());
  if (!name.starts_with(kLayer) || end == std::string::npos) return {-1, name};
  const auto number =
      parse_number<uint32_t>(std::string_view(name).substr(kLayer.size(), end - kLayer.size()));
  if (!number) return {-1, name};
  return {*number, name.substr(end + 1)};
}

class Comparison {
 public:
  explicit Comparison(const ImportanceMatrix& matrix) {
    for (const auto& [name, entry] : matrix.entries) {
      const Place place = place_of(name);
      if (place.layer >= 0) of_layers_[place.rest].emplace(place.layer, &entry);
    }
  }

  // With the nearest layer before that has the tensor.
  std::optional<double> compare(const Place& place, const ImportanceEntry& entry) {
    if (place.layer < 0) return std::nullopt;
    const auto& layers = of_layers_.at(place.rest);
    const auto here = layers.find(place.layer);
    if (here == layers.begin()) return std::nullopt;
    const ImportanceEntry& before = *std::prev(here)->second;
    if (before.sums.size() != entry.sums.size()) return std::nullopt;
    Cosine cosine;
    cosine.add(entry, before);
    Cosine& whole = of_layer_[place.layer];
    whole.add(entry, before);
    return cosine.value();
  }
  std::optional<double> of_layer(int64_t layer) const {
    const auto found = of_layer_.find(layer);
    return found == of_layer_.end() ? std::nullopt : found->second.value();
  }

 private:
  std::map<std::string, std::map<int64_t, const ImportanceEntry*>> of_layers_;
  std::map<int64_t, Cosine> of_layer_;
};

void add_layers(const Comparison& comparison, StatisticsView& view) {
  for (const TensorStatistics& tensor : view.tensors) {
    if (tensor.layer < 0) continue;
    if (view.layers.empty() || view.layers.back().layer != tensor.layer)
      view.layers.push_back({tensor.layer, 0, comparison.of_layer(tensor.layer)});
    view.layers.back().sum += tensor.sum;
  }
}

}  // namespace

bool is_statistics_file(const std::filesystem::path& path) {
  if (path.extension() == ".dat") return true;
  if (path.extension() != ".gguf" || is_missing(path)) return false;
  return GgufFile(path).metadata().find_string("general.type") == "imatrix";
}

StatisticsView view_statistics(const std::filesystem::path& path) {
  const ImportanceMatrix matrix = read_imatrix(path);
  const bool has_moments = has_second_moments(path);
  StatisticsView view;
  view.format = matrix.counts_calls ? "legacy .dat" : "GGUF";
  view.bytes = std::filesystem::file_size(path);
  view.datasets = matrix.datasets;
  view.chunks = matrix.chunks;
  view.chunk_size = matrix.chunk_size;
  view.counts_calls = matrix.counts_calls;
  std::optional<MomentsFile> moments;
  if (has_moments) moments.emplace(path);
  Comparison comparison(matrix);
  for (const auto& [name, entry] : matrix.entries) {
    const Place place = place_of(name);
    TensorStatistics& tensor = view.tensors.emplace_back();
    tensor.name = name;
    tensor.layer = place.layer;
    tensor.experts = entry.counts.size();
    tensor.columns = entry.sums.size() / tensor.experts;
    measure_spread(means_of(entry), tensor);
    measure_coverage(entry, tensor);
    tensor.cosine_similarity = comparison.compare(place, entry);
    tensor.has_moments = moments && moments->input_of(name) != nullptr;
  }
  std::ranges::stable_sort(view.tensors, std::ranges::less(), &TensorStatistics::layer);
  add_layers(comparison, view);
  return view;
}

}  // namespace nibble
