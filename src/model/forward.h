// Forward: the forward pass of a model over a batch of tokens of one or more sequences.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "base/threads.h"
#include "kernel/batch_attention.h"
#include "kernel/matmul.h"
#include "kernel/rope.h"
#include "model/config.h"
#include "model/experts.h"
#include "model/kv_cache.h"
#include "model/observer.h"
#include "model/weights.h"

namespace nibble {

// The next tokens of a sequence.
struct ForwardPart {
  std::span<const uint32_t> tokens;  // at least one; below vocab_size, and they fit the cache
  KvCache* cache;                    // of this sequence, in no other part
  int64_t wanted;                    // how many of the last tokens' logits are asked for
};

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
  std::span<const float> logits(int64_t begin, int64_t count);  // valid until the next call

  // Told of every batch from now on; nullptr: nobody is. It must outlive the calls.
  void observe(Observer* observer);

  // What it keeps between calls: activations and logits.
  uint64_t buffer_bytes() const;

  const Rope& rope() const { return rope_; }  // what keys in the caches are turned by

 private:
  // A token's row in the batch, and where it belongs.
  struct Place {
    KvCache* cache;
    int64_t position;
  };

  void resize(int64_t tokens);
  void embed(std::span<const ForwardPart> parts);
  void prepare_angles(int64_t tokens);
  // Rows for the matrices of these roles to multiply.
  void prepare_input(std::initializer_list<Role> roles, int64_t layer, const float* x,
                     int64_t tokens, int64_t columns);
  void normalize(const float* weight, int64_t tokens);
  void attention(int64_t layer, std::span<const ForwardPart> parts, int64_t tokens);
  void attend(int64_t layer, std::span<const ForwardPart> parts);
  void store_rotated(int64_t layer, int64_t tokens);
  void feed_forward(int64_t layer, int64_t tokens);
  void add_to_residual(int64_t tokens);
  void move_wanted_to_front(std::span<const ForwardPart> parts);

  const ModelConfig& config_;
  const Weights& weights_;
  ThreadPool& pool_;
  Rope rope_;

  // tokens x width each
  std::vector<float> residual_, normalized_, q_, k_, v_, attended_, gate_, up_, projected_, logits_,
      cos_sin_;
  std::vector<Place> places_;
  std::vector<AttentionBatch> attended_parts_;
  ActivationBatch activations_;
  Experts experts_;  // of models that have some
  Observer* observer_ = nullptr;
};

}  // namespace nibble
