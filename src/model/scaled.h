// Scaled: a model some of whose matrices have columns or rows multiplied, so that columns that
// matter more are rounded more finely (AWQ, arXiv:2306.00978). What one matrix's columns are
// multiplied by, the rows of the matrix or the norm before it are divided by: the model computes
// the same.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "tensor/source.h"

namespace nibble {

struct TensorScales {
  std::vector<float> columns;  // a factor each; empty: 1
  std::vector<float> rows;     // likewise
};

class Scaled final : public TensorSource {
 public:
  // `scales` of tensors by index, with as many factors as these have columns and rows (of a vector:
  // columns); they become f32. `source` must outlive the object.
  Scaled(const TensorSource& source, std::map<size_t, TensorScales> scales);

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  void read_rows(size_t tensor, uint64_t first, uint64_t count,
                 std::span<std::byte> out) const override;
  std::span<const std::byte> view(size_t tensor) const override;
  std::span<const std::byte> view_rows(size_t tensor, uint64_t first,
                                       uint64_t count) const override;
  void forget(size_t tensor) const override { source_.forget(tensor); }

 private:
  const TensorSource& source_;
  std::map<size_t, TensorScales> scales_;
  std::vector<TensorInfo> tensors_;
};

}  // namespace nibble
