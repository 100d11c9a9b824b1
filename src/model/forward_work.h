// ForwardWork: what a forward pass cannot do without, to compare its speed with the machine's
// limits.
#pragma once

#include <cstdint>

#include "model/config.h"
#include "model/kv_cache.h"
#include "model/weights.h"

namespace nibble {

// Attention's own products, norms, routers and activations are left out: a few per cent, more only
// where a context is longer than the model is wide. Of experts those count that tokens choose, each
// token others as far as there are.
struct ForwardWork {
  int64_t read_bytes = 0;        // all matrices once, the cached keys and values of each token
  int64_t integer_products = 0;  // of matrices of integer formats, 8 bits each
  int64_t float_products = 0;    // of matrices of float formats

  ForwardWork& operator+=(const ForwardWork& other);
};

// Of one batch: `tokens` of each of some sequences, after `position` others, with the logits of the
// last `wanted` of each. Of the embedding a few rows are read, which do not count.
ForwardWork forward_work(const ModelConfig& config, const Weights& weights, KvTypes kv_types,
                         int64_t position, int64_t tokens, int64_t wanted, int64_t sequences = 1);

}  // namespace nibble
