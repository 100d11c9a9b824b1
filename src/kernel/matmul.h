// Matrix products of a forward pass: a weight matrix of any type times a batch of activation rows.
#pragma once

#include <cstdint>
#include <vector>

#include "base/threads.h"
#include "codec/format.h"
#include "tensor/view.h"

namespace nibble {

// A batch of activation rows that several matrices multiply. Quantized to 8 bits on first use by a
// matrix of an integer format, once for all of them.
class ActivationBatch {
 public:
  // rows x n floats; the memory must stay until the next assign(). Buffers are kept between calls.
  void assign(const float* x, int64_t rows, int64_t n);

  int64_t rows() const { return count_; }
  int64_t columns() const { return n_; }
  // One entry a row; quantized when the domain asks for it.
  const std::vector<ActivationRow>& prepared(Domain domain, ThreadPool& pool);

 private:
  const float* x_ = nullptr;
  int64_t count_ = 0;
  int64_t n_ = 0;
  bool quantized_ = false;
  std::vector<int8_t> q_;
  std::vector<float> d_;
  std::vector<float> s_;
  std::vector<ActivationRow> rows_;
};

// y[b * weights.rows + r] = weights.row(r) . activations[b]. The bits do not depend on the number
// of rows in the batch, on the threads or on the ISA.
void matmul(const TensorView& weights, ActivationBatch& activations, float* y, ThreadPool& pool);

}  // namespace nibble
