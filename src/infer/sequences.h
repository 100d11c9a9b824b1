// Sequences: several sequences that are read and continued together, so that each step reads the
// weights once for all of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/forward.h"
#include "model/kv_cache.h"

namespace nibble {

class Sequences {
 public:
  // `context` positions are kept of each of `count` sequences. The references must outlive the
  // object.
  Sequences(const ModelConfig& config, const Weights& weights, ThreadPool& pool, int64_t count,
            int64_t context, KvTypes kv_types);

  // What comes next in a sequence, and of how many of its last tokens the logits are wanted.
  struct Next {
    int64_t sequence;
    std::span<const uint32_t> tokens;  // at least one
    int64_t wanted = 1;
  };

  // Reads the tokens of one or more sequences that each occur once, all in one batch (more than
  // Session::kBatch in all only take memory), and returns the wanted logits in that order,
  // vocab_size floats a token, valid until the next call. What else is in a batch changes no bit of
  // a sequence's logits under the conditions of Forward::run. Error kUsage when tokens do not fit a
  // context or are not in the vocabulary.
  std::span<const float> feed(std::span<const Next> parts);

  int64_t count() const { return static_cast<int64_t>(caches_.size()); }
  int64_t position(int64_t sequence) const { return cache(sequence).length(); }
  // Forgets what came after a sequence's first `position` tokens, at most position().
  void rewind(int64_t sequence, int64_t position = 0) {
    caches_[static_cast<size_t>(sequence)].set_length(position);
  }
  // A sequence becomes the first `length` tokens of another one, at most position(from).
  void copy(int64_t from, int64_t to, int64_t length) {
    caches_[static_cast<size_t>(to)].copy_from(cache(from), length);
  }

 private:
  const KvCache& cache(int64_t sequence) const { return caches_[static_cast<size_t>(sequence)]; }

  const Weights& weights_;
  std::vector<KvCache> caches_;
  Forward forward_;
};

// Error kUnsupported for an encoder, which says nothing of next tokens.
void check_predicts(const ModelConfig& config);

// Error kUsage when tokens are more than what a cache has room for, or not in the vocabulary.
void check_tokens(std::span<const uint32_t> tokens, const KvCache& cache, const Weights& weights);

}  // namespace nibble
