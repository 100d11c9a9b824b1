// Attention of batches of tokens over caches that hold them already: every query head of every
// token, over the positions of its sequence up to its own.
#pragma once

#include <cstdint>
#include <span>

#include "base/threads.h"
#include "kernel/kv_layout.h"

namespace nibble {

// Consecutive tokens of one sequence.
struct AttentionBatch {
  const float* queries;     // tokens x heads x head_dim, not yet scaled
  const std::byte* keys;    // of a layer
  const std::byte* values;  // the same
  KvLayout layout;          // its kv_heads divide heads: as many follow each other that share keys
  float* output;            // as the queries
  int64_t tokens;
  int64_t first;  // position of the first token: token t sees positions 0 .. first + t
  int64_t heads;
  float scale;                    // of the scores, usually 1 / sqrt(head_dim)
  int64_t window = 0;             // that many positions are seen at most, the last ones; 0: all
  float softcap = 0;              // scores become softcap * tanh(score / softcap); 0: they stay
  const float* slopes = nullptr;  // of heads: ALiBi adds slope * (position - the token's)
  const float* sinks = nullptr;   // of heads: one more score, of nothing
  bool sees_all = false;          // tokens see those behind them in the batch, too; no window then
};

// softmax(queries keys^T * scale) values. The bits do not depend on how tokens are cut into
// batches, on the threads or on the ISA.
void attend(std::span<const AttentionBatch> batches, ThreadPool& pool);

}  // namespace nibble
