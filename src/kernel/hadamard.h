// The Walsh-Hadamard transform, normalized: a rotation that is its own inverse and gives every
// element an equal share of each. Products of two rotated vectors are those of the vectors.
#pragma once

#include <cstdint>

namespace nibble {

// In place, in blocks of the largest power of two that divides n.
void hadamard(float* x, int64_t n);

}  // namespace nibble
