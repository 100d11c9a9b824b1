// ModelConfig: the numbers of a model, read from GGUF metadata (a Hugging Face config.json becomes
// such metadata first, see hf_config.h).
#pragma once

#include <cstdint>
#include <vector>

#include "base/metadata.h"
#include "model/arch.h"

namespace nibble {

// How RoPE goes beyond the context that it was trained for.
struct RopeScaling {
  double position_scale = 1.0;  // 1 / factor of linear scaling
  // YaRN (arXiv:2309.00071) slows down pairs that turn less often than beta_slow in the original
  // context by this factor, those that turn more often than beta_fast not at all; 0: no YaRN.
  double yarn_factor = 0;
  double yarn_beta_fast = 32, yarn_beta_slow = 1;
  double original_context = 0;  // also where LongRoPE changes its factors; 0: not known
  float magnitude = 1.0f;       // by which what turns grows
};

struct ModelConfig {
  const Arch* arch = nullptr;
  int64_t layers = 0;
  int64_t context_length = 0;  // positions it was trained for
  int64_t hidden = 0;          // width of the residual stream
  int64_t ffn = 0;             // width of the feed-forward network
  int64_t heads = 0;           // query heads
  int64_t kv_heads = 0;        // key and value heads; divides heads
  int64_t head_dim = 0;
  // Multi-head latent attention (arXiv:2405.04434) attends over what keys and values are made of:
  // there is one head of them, a key of rope_dimensions that turn and then the latent, whose width
  // this is; the latent is the value, too. 0: none of this.
  int64_t latent = 0;
  int64_t query_latent = 0;   // width of what queries are made of; 0: of the residual stream
  int64_t still_key_dim = 0;  // of each head's key, what does not turn
  int64_t value_dim = 0;      // of each head
  float epsilon = 1e-5f;      // of norms
  Nonlinearity nonlinearity = Nonlinearity::kSilu;
  bool is_parallel = false;  // see Arch
  bool is_encoder = false;   // likewise
  int64_t token_types = 0;   // kinds of segments; all tokens are of the first

  int64_t experts = 0;       // feed-forward networks of a layer among which tokens choose; 0: one
  int64_t experts_used = 0;  // by each token, <= experts
  int64_t expert_ffn = 0;    // width of each
  int64_t shared_ffn = 0;    // width of the one that all tokens use besides; 0: none
  int64_t dense_layers = 0;  // the first ones, without experts
  int64_t expert_groups = 1, expert_groups_used = 1;  // tokens choose groups first
  Gating gating = Gating::kSoftmax;
  bool normalizes_experts = true;
  float experts_scale = 1.0f;  // of a token's weights in all

  int64_t rope_dimensions = 0;  // even, <= head_dim; 0: nothing turns
  double rope_base = 10000.0;
  RopeScaling rope_scaling;
  double local_rope_base = 0;  // of layers with a window, which are not scaled; 0: as the others

  int64_t window = 0;             // positions that a token sees in some layers; 0: all
  std::vector<bool> sees_window;  // of layers; shorter: the others see all
  std::vector<bool> lacks_rope;   // likewise: queries and keys do not turn
  float attention_scale = 0;      // of scores
  float attention_softcap = 0;    // 0: none
  float max_alibi_bias = 0;       // of ALiBi's steepest head; 0: none
  float qkv_limit = 0;            // queries, keys and values are brought into +- that; 0: no limit
  float embedding_scale = 1.0f;
  float residual_scale = 1.0f;  // of what attention and feed-forward networks add
  float logit_scale = 1.0f;     // multiplies logits
  float logit_softcap = 0;      // 0: none

  int64_t q_width() const { return heads * head_dim; }
  int64_t kv_width() const { return kv_heads * head_dim; }
  // Of what attention's output matrix multiplies.
  int64_t attended_width() const { return latent > 0 ? heads * value_dim : q_width(); }
  // Of a tensor that has several (RoleRow::is_stacked).
  int64_t matrices_of(Role role) const {
    return role_row(role).kind == RoleKind::kHeads ? heads : experts;
  }
  bool has_experts(int64_t layer) const { return experts > 0 && layer >= dense_layers; }
  int64_t window_of(int64_t layer) const { return is_set(sees_window, layer) ? window : 0; }
  bool rotates(int64_t layer) const { return rope_dimensions > 0 && !is_set(lacks_rope, layer); }

 private:
  static bool is_set(const std::vector<bool>& flags, int64_t layer) {
    return static_cast<size_t>(layer) < flags.size() && flags[static_cast<size_t>(layer)];
  }
};

// True for layers that are not the last of their period, for all if it is 0.
std::vector<bool> flags_by_period(int64_t layers, int64_t period);

// Errors: kUnsupported for another architecture or RoPE scaling, kInvalidFile for missing,
// contradictory or absurd numbers.
ModelConfig config_from_metadata(const Metadata& metadata);

}  // namespace nibble
