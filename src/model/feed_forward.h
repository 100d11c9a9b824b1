// FeedForward: a network of two layers, the first of which may be gated, that all tokens go
// through.
#pragma once

#include <cstdint>
#include <vector>

#include "base/threads.h"
#include "model/config.h"
#include "model/row_products.h"
#include "model/weights.h"

namespace nibble {

class FeedForward {
 public:
  // All four must outlive the object.
  FeedForward(const ModelConfig& config, const Weights& weights, RowProducts& products,
              ThreadPool& pool)
      : config_(config), weights_(weights), products_(products), pool_(pool) {}

  // y = what the layer's network makes of `tokens` rows of x.
  void run(int64_t layer, const float* x, int64_t tokens, float* y);
  // y += the same of the network that stands beside experts, if there is one.
  void add_shared(int64_t layer, const float* x, int64_t tokens, float* y);

  uint64_t buffer_bytes() const {
    return (gate_.size() + up_.size() + shared_.size()) * sizeof(float);
  }

 private:
  struct Matrices {
    Role gate, up, down;
    int64_t width;
  };
  void run(const Matrices& of, int64_t layer, const float* x, int64_t tokens, float* y);
  void split_fused(int64_t tokens, int64_t width);

  const ModelConfig& config_;
  const Weights& weights_;
  RowProducts& products_;
  ThreadPool& pool_;
  std::vector<float> gate_, up_, shared_;
};

}  // namespace nibble
