// Weight matrices with 16 rows side by side: what generation and prompts read when a model is
// loaded to run. A panel holds 16 rows without loss in about the bytes that they have in the file:
//
//   scales  for each block of columns, what the 16 blocks store (codec/format.h ScaleForm):
//             f16 or bf16   d[16] or d[16] m[16]
//             bytes         the same, then for each group i8 s[16], then for each u8 minimum[16]
//             nibbles       the same, then for each group u8[16]: s in the low half, minimum above
//             codes         for each group u8[16]
//           padded to 64 bytes
//   codes   for each 32 columns (a unit) vectors of 64 bytes with a row in each lane of 4 bytes;
//           the 8 fours of columns share the bits of a vector. Codes of 1, 2, 4 and 8 bits are one
//           plane, 3 = 2 + 1, 5 = 4 + 1 and 6 = 4 + 2 bits two: the four number k of a plane of b
//           bits stands in vector k % b, b * (k / b) bits from the right. Signed bytes are stored
//           as the ISA multiplies them (Operations::panel_zero).
//
// A matrix times few columns streams through that at the speed of memory, without sums across lanes
// and without the pieces of rows that a product of rows begins with.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/threads.h"
#include "kernel/panel.h"
#include "simd/isa.h"
#include "tensor/view.h"

namespace nibble {

// The widest tile that is multiplied without making panels (panel.h) first.
inline constexpr int kInterleavedColumns = 8;

struct Interleaving {
  int block_weights;  // columns of a block
  int scale_bytes;    // of a block of 16 rows
  int code_bytes;     // likewise
  int64_t panel_bytes(int64_t n) const;

  // A panel from 16 rows of n weights.
  void (*interleave)(const std::byte* const* rows, int64_t n, std::byte* panel) noexcept;
  // sums[column][16] = the panel times a tile of 1, 2, 4 or 8 columns, with the bits that
  // Operations::gemm gives.
  void (*multiply)(const std::byte* panel, int64_t n, const ActivationTile& tile,
                   float* sums) noexcept;
  // The panel in the form that Operations::gemm takes.
  void (*unpack)(const std::byte* panel, int64_t n, const WeightPanel& to) noexcept;
};

// nullptr for types whose rows stay as they are: floats.
const Interleaving* interleaving(DType type);           // of active_isa()
const Interleaving* interleaving(DType type, Isa isa);  // isa must be available

// Bytes that a matrix takes interleaved, 0 when its type has no interleaving. A last panel with
// fewer rows is filled up.
int64_t interleaved_bytes(const TensorView& matrix);
void interleave(const TensorView& matrix, std::byte* to, ThreadPool& pool);

}  // namespace nibble
