// SelfAttention: queries, keys and values of a layer, what tokens see of each other, and what is
// made of it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/threads.h"
#include "kernel/batch_attention.h"
#include "model/batch.h"
#include "model/config.h"
#include "model/latent_projection.h"
#include "model/layer_ropes.h"
#include "model/norms.h"
#include "model/row_products.h"
#include "model/weights.h"

namespace nibble {

class SelfAttention {
 public:
  // All four must outlive the object.
  SelfAttention(const ModelConfig& config, const Weights& weights, RowProducts& products,
                ThreadPool& pool);

  // For a batch that goes through the layers next. `places`: of its tokens.
  void begin(std::span<const ForwardPart> parts, std::span<const TokenPlace> places);
  // Stores the keys and values of `x`, a row for each token, and puts into `y` what attention adds.
  void run(int64_t layer, const float* x, float* y);

  void observe(Observer* observer) { latent_.observe(observer); }
  const LayerRopes& ropes() const { return ropes_; }
  uint64_t buffer_bytes() const;

 private:
  int64_t tokens() const { return static_cast<int64_t>(places_.size()); }
  void project(int64_t layer, const float* x);
  void split_fused();
  void make_output(int64_t layer, float* y);
  void limit(float* x, int64_t count) const;
  void normalize_heads(Role role, int64_t layer, float* x, int64_t heads);
  void store_rotated(int64_t layer);
  void attend(int64_t layer);

  const ModelConfig& config_;
  const Weights& weights_;
  RowProducts& products_;
  ThreadPool& pool_;
  Norms norms_;
  LayerRopes ropes_;
  LatentProjection latent_;    // of models that have latent attention
  std::vector<float> slopes_;  // of ALiBi
  std::span<const ForwardPart> parts_;
  std::span<const TokenPlace> places_;
  std::vector<float> q_, k_, v_, qkv_, attended_;   // tokens x width each
  std::vector<float> cos_sin_[LayerRopes::kKinds];  // tokens x dimensions that turn
  std::vector<AttentionBatch> batches_;
};

}  // namespace nibble
