// Gain: how strongly rounded weights answer to what they multiply, beside how the weights did.
//
// Scales that leave the least squared error make weights smaller: with q the best multiple of its
// codes, <w, q> = <q, q> = (1 - e) <w, w>, where e is the relative squared error. Noise of
// different rows averages out on its way through a model, but this comes back in every layer. Rows
// are therefore scaled by <w, w> / <w, q>, which restores their mean answer to inputs and adds but
// e^2 to the error. (What it gains: docs/guides/quality.md.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "nibble/dtype.h"

namespace nibble {

// Whether rows of the type can be scaled and it makes a difference: beyond 6 bits a weight it is
// less than a step of a block's f16 scale.
bool has_gain(DType type);

// Multiplies an encoded row of n weights; factors that are not between 1 and 2 are none that
// rounding makes, and left out.
void scale_row(DType type, double factor, int64_t n, std::byte* row);

// Restores the gain of rows one by one.
class GainRestorer {
 public:
  // `row` holds the n weights x, encoded. importance: of the columns, or nullptr: all alike.
  void restore(DType type, const float* x, const float* importance, int64_t n, std::byte* row);

 private:
  std::vector<float> decoded_;
};

}  // namespace nibble
