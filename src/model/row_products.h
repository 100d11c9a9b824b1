// RowProducts: matrices of a model times a batch of rows, with what is added to what comes out.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "base/threads.h"
#include "kernel/activation_batch.h"
#include "kernel/matmul.h"
#include "model/observer.h"
#include "model/weights.h"

namespace nibble {

class RowProducts {
 public:
  // Both must outlive the object.
  RowProducts(const Weights& weights, ThreadPool& pool)
      : weights_(weights), pool_(pool), activations_(weights.activations()) {}

  struct Output {
    Role role;
    float* y;  // rows x the matrix's rows
  };
  // Of matrices of one layer that multiply the same rows of x. The observer is told first.
  void multiply(std::initializer_list<Output> outputs, int64_t layer, const float* x, int64_t rows,
                int64_t columns);

  void observe(Observer* observer) { observer_ = observer; }
  uint64_t buffer_bytes() const { return activations_.buffer_bytes(); }

 private:
  const Weights& weights_;
  ThreadPool& pool_;
  ActivationBatch activations_;
  std::vector<Product> products_;
  std::vector<Role> roles_;
  Observer* observer_ = nullptr;
};

// y[row][i] += bias[i]
void add_bias(const float* bias, float* y, int64_t rows, int64_t columns, ThreadPool& pool);

}  // namespace nibble
