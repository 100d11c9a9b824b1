// The step that every conversion takes: rows of a source, as floats, into rows of other types.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/threads.h"
#include "nibble/effort.h"
#include "tensor/source.h"

namespace nibble {

// What the rows of one tensor become.
struct RowEncoding {
  std::span<const DType> types;
  // One value for each column of each matrix of the tensor (an expert's after another's), or empty:
  // all columns alike.
  std::span<const float> importance = {};
  Effort effort = Effort::kDefault;
};

// Encodes rows [first, first + count) of source.tensors()[tensor] into each of encoding.types, all
// rows of one type after each other in outputs[k] (resized to fit); rows that have the type already
// are copied. Reads the source once. Errors: those of reading; kInvalidFile for a weight that is
// not a number, infinite, or too large for f16, naming tensor and index.
void encode_rows(const TensorSource& source, size_t tensor, uint64_t first, uint64_t count,
                 const RowEncoding& encoding, ThreadPool& pool,
                 std::vector<std::vector<std::byte>>& outputs);

// Throws as encode_rows does unless all of x, weights `first_index`... of the tensor, are finite.
void check_finite(const TensorInfo& tensor, uint64_t first_index, std::span<const float> x);

}  // namespace nibble
