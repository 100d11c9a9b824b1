// A tensor of a source with the rules that it is rounded by: what it loses in each type, by a
// sample of its rows, and the whole of it in one type, in memory.
#pragma once

#include <cstddef>
#include <vector>

#include "base/threads.h"
#include "flow/encode_rows.h"
#include "tensor/source.h"
#include "tensor/view.h"

namespace nibble {

class TensorRounding {
 public:
  // What is referred to must outlive the object.
  TensorRounding(const TensorSource& source, size_t tensor, const RowEncoding& how)
      : source_(source), tensor_(tensor), how_(how) {}

  const TensorInfo& info() const { return source_.tensors()[tensor_]; }

  // The cost of sampled rows' errors, by the second moments of what they multiply, or else by
  // importance, or else of all columns alike; and what all of these rows would cost.
  struct Costs {
    double whole = 0;
    std::vector<double> lost;  // in each of the types

    double relative(size_t type) const { return whole > 0 ? lost[type] / whole : 0; }
  };
  Costs sample(const std::vector<DType>& types, ThreadPool& pool) const;

  std::vector<std::byte> encode(DType type, ThreadPool& pool) const;

 private:
  uint64_t matrices() const { return info().shape.dims[2] * info().shape.dims[3]; }
  uint64_t rows_of_matrix() const { return info().shape.rows() / matrices(); }
  uint64_t sampled_together() const;
  std::vector<uint64_t> sampled_places() const;
  double cost(const std::vector<float>& x, uint64_t first, uint64_t rows) const;

  const TensorSource& source_;
  size_t tensor_;
  RowEncoding how_;
};

// The matrices of a tensor that was encoded so.
std::vector<TensorView> views_of(const TensorInfo& info, DType type,
                                 const std::vector<std::byte>& bytes);

}  // namespace nibble
