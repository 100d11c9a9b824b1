// Session: one sequence being read and continued.
#pragma once

#include <cstdint>
#include <span>

#include "model/forward.h"
#include "model/kv_cache.h"

namespace nibble {

class Session {
 public:
  // `context` positions are kept in a cache of these types. The references must outlive the
  // session.
  Session(const ModelConfig& config, const Weights& weights, ThreadPool& pool, int64_t context,
          KvTypes kv_types);

  // Reads the tokens (at least one) and returns the logits after the last one, valid until the next
  // call. Error kUsage when they do not fit the context or are not in the vocabulary.
  std::span<const float> feed(std::span<const uint32_t> tokens);
  // The same, with the logits after each of the last `wanted` tokens, which must fit one batch
  // (kBatch).
  std::span<const float> feed(std::span<const uint32_t> tokens, int64_t wanted);

  // In two steps, for who has no room for all logits at once: read() takes at most kBatch tokens,
  // logits() gives those of `count` of the last `wanted` tokens, from the one at `begin` on, valid
  // until the next call.
  void read(std::span<const uint32_t> tokens, int64_t wanted);
  std::span<const float> logits(int64_t begin, int64_t count) {
    return forward_.logits(begin, count);
  }

  void observe(Observer* observer) { forward_.observe(observer); }  // Forward::observe

  int64_t position() const { return cache_.length(); }
  int64_t context() const { return cache_.capacity(); }
  // Forgets what came after the first `position` tokens, at most position().
  void rewind(int64_t position = 0) { cache_.set_length(position); }
  // Forgets `count` tokens from the one at `begin` on, to make room behind the last (KvCache): what
  // follows them goes on from keys and values that have seen them.
  void remove(int64_t begin, int64_t count) {
    cache_.remove(begin, count, forward_.ropes(), pool_);
  }

  static constexpr int64_t kBatch = 512;  // tokens that go through the model together

 private:
  const Weights& weights_;
  ThreadPool& pool_;
  KvCache cache_;
  Forward forward_;
};

}  // namespace nibble
