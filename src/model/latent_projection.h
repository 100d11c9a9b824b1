// LatentProjection: queries, keys and values of multi-head latent attention (arXiv:2405.04434).
// All heads share one latent of each token. What would make a head's keys of latents makes its
// query fit latents instead, and its values are made of the latents' weighted sum: the cache holds
// latents only, and attention runs as if all heads shared one key that is its value, too.
#pragma once

#include <cstdint>
#include <vector>

#include "base/threads.h"
#include "kernel/activation_batch.h"
#include "kernel/matmul.h"
#include "model/config.h"
#include "model/norms.h"
#include "model/observer.h"
#include "model/row_products.h"
#include "model/weights.h"

namespace nibble {

class LatentProjection {
 public:
  // All four must outlive the object.
  LatentProjection(const ModelConfig& config, const Weights& weights, RowProducts& products,
                   ThreadPool& pool)
      : config_(config),
        weights_(weights),
        products_(products),
        pool_(pool),
        norms_(config, weights, pool),
        activations_(weights.activations()) {}

  // Of `tokens` rows of x. q: each head's query, and k: the key of all; first what is to turn by
  // positions, then what meets the latent, or the latent.
  void project(int64_t layer, const float* x, int64_t tokens, float* q, float* k);
  // Of sums of keys, laid out as q: each token's values of all heads, valid until the next call.
  const float* values(int64_t layer, const float* attended, int64_t tokens);

  void observe(Observer* observer) { observer_ = observer; }
  uint64_t buffer_bytes() const;

 private:
  void make_queries(int64_t layer, const float* x, int64_t tokens);
  void make_keys(int64_t layer, int64_t tokens, float* k);
  // y = what each head's matrix makes of its `tokens` rows of by_head_, of so many columns.
  void multiply_heads(Role role, int64_t layer, int64_t tokens, int64_t columns, int64_t rows);

  const ModelConfig& config_;
  const Weights& weights_;
  RowProducts& products_;
  ThreadPool& pool_;
  Norms norms_;
  ActivationBatch activations_;
  std::vector<Product> matrices_;
  std::vector<int64_t> ends_;
  std::vector<float> compressed_, latents_;         // tokens x width
  std::vector<float> query_latents_, queries_;      // likewise
  std::vector<float> by_head_, of_heads_, values_;  // heads x tokens x width; values_: tokens first
  Observer* observer_ = nullptr;
};

}  // namespace nibble
