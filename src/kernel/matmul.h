// Matrix products of a forward pass: a weight matrix of any type times a batch of activation rows.
#pragma once

#include <cstdint>
#include <span>

#include "base/threads.h"
#include "kernel/activation_batch.h"
#include "tensor/view.h"

namespace nibble {

// Groups from this size on take panels; smaller ones row products, whose sums have another order.
inline constexpr int64_t kBatchForPanels = 4;

// y[b * weights.rows + r] = weights.row(r) . activations[b] * weights.scale. The bits do not depend
// on the threads or on the ISA, and on the size of the batch only by kBatchForPanels; interleaved,
// not even by it.
void matmul(const TensorView& weights, ActivationBatch& activations, float* y, ThreadPool& pool);

// Several matrices, each times a group of the activations; y[0] is of the group's first row.
struct Product {
  const TensorView* weights;
  float* y;
  int64_t group = 0;
};
void matmul(std::span<const Product> products, ActivationBatch& activations, ThreadPool& pool);

}  // namespace nibble
