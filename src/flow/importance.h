// TensorImportance: how much each column of each tensor matters, from an importance matrix.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "base/metadata.h"
#include "file/imatrix.h"
#include "nibble/quantize.h"
#include "tensor/source.h"

namespace nibble {

class TensorImportance {
 public:
  TensorImportance() = default;  // all columns of all tensors alike

  // Errors: kInvalidFile when an entry has not one value for each column (of each matrix, where the
  // tensor has several), naming tensor, found and expected.
  TensorImportance(const ImportanceMatrix& matrix, const std::vector<TensorInfo>& tensors);

  size_t count() const;  // tensors that have an entry
  // Experts of them that met so few rows (ImportanceEntry::kPooledRows or fewer) that their
  // importance is mostly that of all experts.
  size_t pooled_experts() const { return pooled_experts_; }

  // A value for each column of each matrix of tensors[tensor]; empty: all alike.
  std::span<const float> of(size_t tensor) const;
  void replace(size_t tensor, std::vector<float> values) { of_tensor_[tensor] = std::move(values); }

 private:
  std::vector<std::vector<float>> of_tensor_;
  size_t pooled_experts_ = 0;
};

// The matrix of options.imatrix, without the entries that include_weights and exclude_weights leave
// out; no entries when no file is named. Errors: kUsage for options that contradict each other.
ImportanceMatrix load_importance(const QuantizeOptions& options);

// What llama.cpp writes about the matrix into a file that was made with it (quantize.imatrix.*).
void add_importance_keys(const std::filesystem::path& file, const ImportanceMatrix& matrix,
                         Metadata& metadata);

}  // namespace nibble
