// The ways in which a row of activations becomes 8-bit integers with scales.
#pragma once

#include <cstdint>

#include "nibble/activations.h"
#include "nibble/dtype.h"

namespace nibble {

enum class Rounding {
  kGroupsOf32,     // d = largest |x| / 127
  kF16GroupsOf32,  // the same integers, d rounded to f16                     (block_q8_0 of ggml)
  kGroupsOf256,    // d = -x / 127 of the x of largest |x|, which gets -127   (block_q8_K of ggml)
};

// What integer formats are multiplied with.
Rounding rounding_for(DType type, Activations activations);

// Fills q, d, s and their zero padding up to a multiple of 256 (codec/format.h ActivationRow: d for
// every 32 in all ways). The bits are the same on every ISA.
void round_row(Rounding rounding, const float* x, int64_t n, int8_t* q, float* d,
               float* s) noexcept;

}  // namespace nibble
