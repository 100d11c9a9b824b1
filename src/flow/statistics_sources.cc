#include "flow/statistics_sources.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "file/byte_reader.h"
#include "flow/feedback.h"

namespace nibble {
namespace {

// "blk.3." of "blk.3.attn_q.weight"; nothing of tensors outside of layers.
std::string_view layer_of(std::string_view tensor) {
  constexpr std::string_view kLayer = "blk.";
  if (!tensor.starts_with(kLayer)) return {};
  const size_t end = tensor.find('.', kLayer.size());
  return end == std::string_view::npos ? std::string_view() : tensor.substr(0, end + 1);
}

bool has_layer(const ImportanceMatrix& matrix, std::string_view layer) {
  const auto found = matrix.entries.lower_bound(layer);
  return found != matrix.entries.end() && found->first.starts_with(layer);
}

// A .dat has one count for all experts: each has it.
double count_of(const ImportanceEntry& entry, size_t expert) {
  return static_cast<double>(entry.counts[entry.counts.size() == 1 ? 0 : expert]);
}

[[noreturn]] void fail_other_model(const std::string& tensor, const WeightedImportance& a,
                                   const WeightedImportance& b, const std::string& difference) {
  fail(ErrorCode::kInvalidFile,
       "tensor {}: {} and {}: {}: they were measured with different models", printable(tensor),
       a.name, b.name, difference);
}

void add_names(const std::vector<std::string>& from, std::vector<std::string>& names) {
  for (const std::string& name : from) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
}

}  // namespace

CombinedImportance::CombinedImportance(const std::vector<WeightedImportance>& parts) {
  std::set<std::string> tensors;
  double tokens = 0;
  for (const WeightedImportance& part : parts) {
    add_names(part.matrix->datasets, matrix_.datasets);
    if (matrix_.chunk_size == 0) matrix_.chunk_size = part.matrix->chunk_size;
    for (const auto& [tensor, entry] : part.matrix->entries) tensors.insert(tensor);
  }
  const auto size = [&](uint64_t own) {
    return static_cast<double>(own > 0 ? own : std::max<uint64_t>(matrix_.chunk_size, 1));
  };
  for (const WeightedImportance& part : parts)
    tokens += static_cast<double>(part.matrix->chunks) * size(part.matrix->chunk_size);
  matrix_.chunks = static_cast<uint64_t>(std::llround(tokens / size(matrix_.chunk_size)));
  for (const std::string& tensor : tensors) combine(tensor, parts);
}

void CombinedImportance::combine(const std::string& tensor,
                                 const std::vector<WeightedImportance>& parts) {
  const WeightedImportance* first = nullptr;
  std::vector<double> sums, counts;
  for (const WeightedImportance& part : parts) {
    const auto found = part.matrix->entries.find(tensor);
    if (found == part.matrix->entries.end()) continue;
    const ImportanceEntry& entry = found->second;
    if (first == nullptr) first = &part;
    if (sums.empty()) sums.resize(entry.sums.size());
    if (sums.size() != entry.sums.size()) {
      fail_other_model(tensor, *first, part,
                       fmt::format("{} and {} sums", sums.size(), entry.sums.size()));
    }
    if (counts.size() <= 1 && entry.counts.size() > 1) {
      counts.resize(entry.counts.size(), counts.empty() ? 0 : counts.front());
    }
    if (counts.empty()) counts.resize(1);
    if (entry.counts.size() > 1 && entry.counts.size() != counts.size()) {
      fail_other_model(tensor, *first, part,
                       fmt::format("{} and {} experts", counts.size(), entry.counts.size()));
    }
    for (size_t i = 0; i < sums.size(); ++i)
      sums[i] += part.weight * static_cast<double>(entry.sums[i]);
    for (size_t e = 0; e < counts.size(); ++e) counts[e] += part.weight * count_of(entry, e);
  }
  for (const WeightedImportance& part : parts) {
    const auto layer = layer_of(tensor);
    if (!layer.empty() && !has_layer(*part.matrix, layer))
      fail_other_model(tensor, *first, part, "the latter has nothing of that layer");
  }
  std::vector<double>& scales = scales_[tensor];
  ImportanceEntry& entry = matrix_.entries[tensor];
  const size_t columns = sums.size() / counts.size();
  for (const double count : counts) {
    const double whole = count > 0 ? std::max(1.0, std::round(count)) : 0;
    scales.push_back(count > 0 ? whole / count : 0);
    entry.counts.push_back(static_cast<float>(whole));
  }
  for (size_t i = 0; i < sums.size(); ++i) {
    entry.sums.push_back(static_cast<float>(sums[i] * scales[i / columns]));
    if (std::isfinite(entry.sums.back())) continue;
    fail(ErrorCode::kUsage,
         "tensor {}: the weighted sum of column {} is beyond what floats can say",
         printable(tensor), i % columns);
  }
}

double CombinedImportance::scale(std::string_view tensor, uint64_t expert) const {
  const auto found = scales_.find(tensor);
  return found == scales_.end() ? 1.0 : found->second[expert];
}

StatisticsSource::StatisticsSource(const std::filesystem::path& path, double weight,
                                   int64_t chunk_size)
    : name_(path.string()), weight_(weight), matrix_(read_imatrix(path)) {
  if (matrix_.counts_calls) {
    matrix_.chunk_size = static_cast<uint64_t>(chunk_size);
    for (auto& [tensor, entry] : matrix_.entries) {
      for (auto* values : {&entry.sums, &entry.counts}) {
        for (float& value : *values) value *= static_cast<float>(chunk_size);
      }
    }
  } else if (has_second_moments(path)) {
    moments_.emplace(path);
  }
}

bool StatisticsSource::has_moments(std::string_view tensor) const {
  return moments_ && moments_->input_of(tensor) != nullptr;
}

void StatisticsSource::add_moments(std::string_view tensor, uint64_t expert,
                                   std::vector<double>& triangle) const {
  const MomentsFile::Input* input = moments_ ? moments_->input_of(tensor) : nullptr;
  if (input == nullptr || moments_count(input->columns) != triangle.size() ||
      expert >= input->experts) {
    fail(ErrorCode::kInvalidFile, "{}: tensor {}: has no second moments, or of other columns",
         name_, printable(tensor));
  }
  const auto more = moments_->read(*input, expert);
  for (size_t i = 0; i < triangle.size(); ++i)
    triangle[i] += weight_ * static_cast<double>(more[i]);
}

}  // namespace nibble
