#include "flow/importance.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"

namespace nibble {
namespace {

bool contains_any(const std::string& name, const std::vector<std::string>& parts) {
  return std::ranges::any_of(
      parts, [&](const std::string& part) { return name.find(part) != std::string::npos; });
}

uint32_t u32_of(uint64_t count) {
  return static_cast<uint32_t>(std::min<uint64_t>(count, std::numeric_limits<uint32_t>::max()));
}

}  // namespace

TensorImportance::TensorImportance(const ImportanceMatrix& matrix,
                                   const std::vector<TensorInfo>& tensors) {
  for (const TensorInfo& tensor : tensors) {
    std::vector<float>& values = of_tensor_.emplace_back();
    const auto entry = matrix.entries.find(tensor.name);
    if (entry == matrix.entries.end()) continue;
    values = entry->second.means();
    const auto& counts = entry->second.counts;
    if (counts.size() > 1) {
      pooled_experts_ += static_cast<size_t>(std::ranges::count_if(
          counts, [](float count) { return count <= ImportanceEntry::kPooledRows; }));
    }
    const uint64_t expected = tensor.shape.columns() * tensor.shape.dims[2] * tensor.shape.dims[3];
    if (values.size() != expected) {
      fail(ErrorCode::kInvalidFile,
           "tensor {} ({}): the importance matrix has {} values for it, expected {}: it was made "
           "with another model; leave the tensor out with --exclude-weights, or make it anew",
           tensor.name, to_string(tensor.shape), values.size(), expected);
    }
  }
}

size_t TensorImportance::count() const {
  return static_cast<size_t>(
      std::ranges::count_if(of_tensor_, [](const auto& values) { return !values.empty(); }));
}

std::span<const float> TensorImportance::of(size_t tensor) const {
  return tensor < of_tensor_.size() ? of_tensor_[tensor] : std::span<const float>();
}

ImportanceMatrix load_importance(const QuantizeOptions& options) {
  const auto& include = options.include_weights;
  const auto& exclude = options.exclude_weights;
  if (!include.empty() && !exclude.empty()) {
    fail(ErrorCode::kUsage,
         "weights to include and weights to exclude cannot be combined: either says it all");
  }
  if (options.imatrix.empty()) {
    if (include.empty() && exclude.empty()) return {};
    fail(ErrorCode::kUsage,
         "weights to include or exclude choose entries of an importance matrix; name one with "
         "--imatrix");
  }
  ImportanceMatrix matrix = read_imatrix(options.imatrix);
  std::erase_if(matrix.entries, [&](const auto& entry) {
    return contains_any(entry.first, exclude) ||
           (!include.empty() && !contains_any(entry.first, include));
  });
  if (matrix.entries.empty()) {
    fail(ErrorCode::kUsage, "{}: no entry is left of the importance matrix",
         options.imatrix.string());
  }
  return matrix;
}

void add_importance_keys(const std::filesystem::path& file, const ImportanceMatrix& matrix,
                         Metadata& metadata) {
  if (matrix.entries.empty()) return;
  metadata.set("quantize.imatrix.file", file.filename().string());  // wherever it lies
  if (!matrix.datasets.empty()) metadata.set("quantize.imatrix.dataset", matrix.datasets.front());
  metadata.set("quantize.imatrix.entries_count", u32_of(matrix.entries.size()));
  if (matrix.chunks > 0) metadata.set("quantize.imatrix.chunks_count", u32_of(matrix.chunks));
}

}  // namespace nibble
