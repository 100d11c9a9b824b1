// The formats as functions on rows, for the instruction set in use: the only door to this room at
// run time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "codec/format.h"
#include "simd/isa.h"

namespace nibble {

// Blocks in the steps of their encoding (format.h), for who chooses what each weight becomes. Of
// integer formats; a block's `params` are params_bytes long, aligned to 8.
struct BlockSteps {
  size_t params_bytes;
  int fit_blocks;  // fit() takes so many at a time, for the time of one
  int snap_weights;
  void (*fit)(const float* x, const float* importance, int blocks, Effort effort,
              std::byte* params) noexcept;
  // x and importance point at weight i, a multiple of snap_weights.
  void (*snap)(const float* x, const float* importance, const std::byte* params, int i,
               float* y) noexcept;
  void (*pack)(const float* x, const float* importance, const std::byte* params,
               std::byte* block) noexcept;
  // Multiplies all values of a block by the factor, as nearly as its f16 scale can; nullptr where
  // scales are no f16.
  void (*scale)(std::byte* block, float factor) noexcept;
};

struct Codec {
  Domain domain;
  PanelForm panel;   // of integer formats
  BlockSteps steps;  // likewise
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
