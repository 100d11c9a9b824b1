// Forward: the forward pass of a model over a batch of tokens of one or more sequences.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/threads.h"
#include "model/attention.h"
#include "model/batch.h"
#include "model/config.h"
#include "model/experts.h"
#include "model/feed_forward.h"
#include "model/norms.h"
#include "model/observer.h"
#include "model/row_products.h"
#include "model/weights.h"

namespace nibble {

class Forward {
 public:
  // All three must outlive the object.
  Forward(const ModelConfig& config, const Weights& weights, ThreadPool& pool);

  // Appends the tokens of each part to its cache at position cache.length() and returns the wanted
  // logits of the first part, of the second, ..., vocab_size floats for each token, valid until the
  // next call. There is at least one part. Every matrix is read once for all parts. Logits do not
  // depend on the threads or on the ISA, not even in their last bit, nor on how texts are cut into
  // batches and what else is in them, when all matrices are interleaved; rows as they lie give
  // batches of fewer than kBatchForPanels tokens another order of sums.
  std::span<const float> run(std::span<const ForwardPart> parts);
  // The same with one part.
  std::span<const float> run(std::span<const uint32_t> tokens, KvCache& cache, int64_t wanted);

  // run() in two steps, for who has no room for all wanted logits at once: read() appends, logits()
  // computes those of `count` wanted tokens from `begin` on, numbered through all parts. Same bits.
  void read(std::span<const ForwardPart> parts);
  // What logits are made of: hidden floats for each wanted token, behind the last norm.
  const float* states() const { return normalized_.data(); }
  std::span<const float> logits(int64_t begin, int64_t count);  // valid until the next call

  // Told of every batch from now on; nullptr: nobody is. It must outlive the calls.
  void observe(Observer* observer);

  // What it keeps between calls: activations and logits.
  uint64_t buffer_bytes() const;

  // What keys in the caches are turned by.
  const LayerRopes& ropes() const { return attention_.ropes(); }

 private:
  void resize(int64_t tokens);
  void embed(std::span<const ForwardPart> parts);
  void scale_embedding(int64_t tokens);
  void run_layer(int64_t layer, int64_t tokens);
  // The norm of the residual stream, or the stream itself where the layer has no such norm.
  const float* input_of(Role norm, int64_t layer, int64_t tokens, std::vector<float>& buffer);
  void feed_forward(int64_t layer, const float* x, int64_t tokens);
  // What a layer's part made, with the norm that follows it, if one does.
  void finish_part(Role norm, int64_t layer, int64_t tokens);
  // Adds it to the stream, which `norm` follows, if the layer has it.
  void add_to_residual(Role norm, int64_t layer, int64_t tokens);
  void move_wanted_to_front(std::span<const ForwardPart> parts);
  void adjust_logits(int64_t count);

  const ModelConfig& config_;
  const Weights& weights_;
  RowProducts products_;
  Norms norms_;
  SelfAttention attention_;
  FeedForward feed_forward_;
  Experts experts_;  // of models that have some

  // tokens x width each
  std::vector<float> residual_, normalized_, second_, projected_, logits_;
  std::vector<TokenPlace> places_;
  Observer* observer_ = nullptr;
};

}  // namespace nibble
