// Observer: sees what passes through a model. Calibration and the comparison of layers are
// observers; the forward pass knows neither.
#pragma once

#include <cstdint>
#include <span>

#include "model/roles.h"

namespace nibble {

// Rows of the batch as they are just now; the memory is used again.
struct ObservedRows {
  const float* x;
  int64_t rows;
  int64_t columns;

  const float* row(int64_t i) const { return x + i * columns; }
};

class Observer {
 public:
  virtual ~Observer() = default;

  // Rows that the matrices of these roles multiply next. `expert`: of roles that are stacked, those
  // rows that chose it; every expert that has some is told of.
  virtual void on_input(std::span<const Role> /*roles*/, int64_t /*layer*/, int64_t /*expert*/,
                        const ObservedRows& /*rows*/) {}
  // The residual stream after the layer, a row for each token.
  virtual void on_layer(int64_t /*layer*/, const ObservedRows& /*rows*/) {}
};

}  // namespace nibble
