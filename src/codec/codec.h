// The formats as functions on rows, for the instruction set in use: the only door to this room at
// run time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "codec/format.h"
#include "simd/isa.h"

namespace nibble {

struct Codec {
  Domain domain;
  PanelForm panel;  // of integer formats
  // n is a multiple of the block everywhere; rows are aligned to 4 bytes.
  // importance: n weights >= 0 of the columns' errors, or nullptr (all equal).
  void (*encode)(const float* x, const float* importance, int64_t n, Effort effort,
                 std::byte* row) noexcept;
  void (*decode)(const std::byte* row, int64_t n, float* y) noexcept;
  // y[r] = row r . activations; rows begin row_bytes apart.
  void (*dots)(const std::byte* first, int64_t row_bytes, int64_t rows,
               const ActivationRow& activations, int64_t n, float* y) noexcept;
  void (*unpack)(const std::byte* row, int64_t n, const PanelRow& panel) noexcept;
};

const Codec& codec(DType type);           // of active_isa()
const Codec& codec(DType type, Isa isa);  // isa must be available

}  // namespace nibble
