// TensorView: a matrix of any type where it lies in memory. It owns nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "nibble/dtype.h"

namespace nibble {

struct TensorView {
  DType type{};
  int64_t rows = 0;
  int64_t columns = 0;              // weights in a row, a multiple of the type's block
  const std::byte* data = nullptr;  // rows without gaps, aligned to 4 bytes
  // The same matrix with 16 rows side by side (kernel/interleaving.h), when it is kept so, too.
  const std::byte* interleaved = nullptr;
  float scale = 1.0f;  // of every product: the weights are the stored ones times this

  explicit operator bool() const { return data != nullptr; }
  int64_t row_bytes() const { return columns / block_weights(type) * block_bytes(type); }
  const std::byte* row(int64_t index) const { return data + index * row_bytes(); }
};

}  // namespace nibble
