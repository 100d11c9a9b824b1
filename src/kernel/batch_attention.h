// Attention of a batch of tokens over a cache that holds them already: every query head of every
// token, over the positions up to its own.
#pragma once

#include <cstdint>

#include "base/threads.h"

namespace nibble {

template <class Element>  // uint16_t (binary16) or float
struct AttentionBatch {
  const float* queries;   // tokens x heads x head_dim, not yet scaled
  const Element* keys;    // positions x kv_heads x head_dim
  const Element* values;  // the same
  float* output;          // as the queries
  int64_t tokens;
  int64_t first;  // position of the first token: token t sees positions 0 .. first + t
  int64_t heads;
  int64_t kv_heads;  // divides heads: as many follow each other that share keys and values
  int64_t head_dim;
  float scale;  // of the scores, usually 1 / sqrt(head_dim)
};

// The bits do not depend on how tokens are cut into batches, on the threads or on the ISA. They
// differ from those of Operations::attend_f16 and attend_f32, which sum in another order.
void attend(const AttentionBatch<uint16_t>& batch, ThreadPool& pool);
void attend(const AttentionBatch<float>& batch, ThreadPool& pool);

}  // namespace nibble
