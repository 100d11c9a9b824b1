// Forward: the forward pass of a model over a batch of tokens of one sequence.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/threads.h"
#include "kernel/batch_attention.h"
#include "kernel/matmul.h"
#include "kernel/rope.h"
#include "model/config.h"
#include "model/experts.h"
#include "model/kv_cache.h"
#include "model/weights.h"

namespace nibble {

class Forward {
 public:
  // All three must outlive the object.
  Forward(const ModelConfig& config, const Weights& weights, ThreadPool& pool);

  // Appends the tokens to the cache at position cache.length() and returns the logits of the last
  // `wanted` of them, wanted x vocab_size floats, valid until the next call. Tokens are below
  // vocab_size and fit the cache's capacity. Logits do not depend on the threads or on the ISA, not
  // even in their last bit, nor on how a text is cut into batches, when all matrices are
  // interleaved; rows as they lie give batches of fewer than kBatchForPanels tokens another order
  // of sums.
  std::span<const float> run(std::span<const uint32_t> tokens, KvCache& cache, int64_t wanted);

 private:
  void resize(int64_t tokens, int64_t wanted);
  void embed(std::span<const uint32_t> tokens);
  void prepare_angles(int64_t tokens, int64_t first_position);
  void normalize(const float* weight, int64_t tokens);
  void attention(int64_t layer, int64_t tokens, KvCache& cache);
  void attend(int64_t layer, int64_t tokens, KvCache& cache);
  void store_rotated(int64_t layer, int64_t tokens, KvCache& cache);
  void feed_forward(int64_t layer, int64_t tokens);
  void add_to_residual(int64_t tokens);

  const ModelConfig& config_;
  const Weights& weights_;
  ThreadPool& pool_;
  Rope rope_;

  // tokens x width each
  std::vector<float> residual_, normalized_, q_, k_, v_, attended_, gate_, up_, projected_, logits_,
      cos_sin_;
  ActivationBatch activations_;
  Experts experts_;  // of models that have some
};

}  // namespace nibble
