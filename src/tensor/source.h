// TensorSource: where tensors come from. Sources compose like pipes (a renaming source around a
// directory, ...), and hand out rows in the stored type, so that nothing needs a whole tensor in
// memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nibble/dtype.h"
#include "tensor/shape.h"

namespace nibble {

struct TensorInfo {
  std::string name;
  DType type;
  Shape shape;

  uint64_t row_bytes() const { return shape.columns() / block_weights(type) * block_bytes(type); }
  uint64_t bytes() const { return row_bytes() * shape.rows(); }
  bool operator==(const TensorInfo&) const = default;
};

class TensorSource {
 public:
  virtual ~TensorSource() = default;

  // Every tensor: a name that is unique, columns a multiple of its type's block, bytes() that fits
  // 63 bits.
  virtual const std::vector<TensorInfo>& tensors() const = 0;

  // Copies rows [first, first + count) of tensors()[tensor], out.size() == count * row_bytes().
  // Thread-safe. Errors: those of reading the file.
  virtual void read_rows(size_t tensor, uint64_t first, uint64_t count,
                         std::span<std::byte> out) const = 0;

  // The tensor's bytes where they lie, valid as long as the source and aligned for the type; empty
  // when they can only be read. Thread-safe.
  virtual std::span<const std::byte> view(size_t tensor) const = 0;

  // Rows of view(). A tensor that is made of several has none, but the rows of one of these may be
  // shown.
  virtual std::span<const std::byte> view_rows(size_t tensor, uint64_t first,
                                               uint64_t count) const {
    const auto bytes = view(tensor);
    const uint64_t row_bytes = tensors()[tensor].row_bytes();
    return bytes.empty() ? bytes : bytes.subspan(first * row_bytes, count * row_bytes);
  }

  // What view() shows is not needed for now; where it is mapped, its memory is given back until it
  // is looked at again. Thread-safe.
  virtual void forget(size_t) const {}
};

}  // namespace nibble
