// ModelConfig: the numbers of a model, read from GGUF metadata (a Hugging Face config.json becomes
// such metadata first, see hf_config.h).
#pragma once

#include <cstdint>

#include "base/metadata.h"
#include "model/arch.h"

namespace nibble {

struct ModelConfig {
  const Arch* arch = nullptr;
  int64_t layers = 0;
  int64_t context_length = 0;  // positions it was trained for
  int64_t hidden = 0;          // width of the residual stream
  int64_t ffn = 0;             // width of the feed-forward network, of each expert
  int64_t experts = 0;         // feed-forward networks of a layer among which tokens choose; 0: one
  int64_t experts_used = 0;    // by each token, <= experts
  int64_t heads = 0;           // query heads
  int64_t kv_heads = 0;        // key and value heads; divides heads
  int64_t head_dim = 0;
  int64_t rope_dimensions = 0;  // even, <= head_dim
  double rope_base = 10000.0;
  double rope_position_scale = 1.0;  // 1 / factor of linear scaling
  float rms_epsilon = 1e-5f;

  int64_t q_width() const { return heads * head_dim; }
  int64_t kv_width() const { return kv_heads * head_dim; }
};

// Errors: kUnsupported for another architecture or RoPE scaling, kInvalidFile for missing,
// contradictory or absurd numbers.
ModelConfig config_from_metadata(const Metadata& metadata);

}  // namespace nibble
