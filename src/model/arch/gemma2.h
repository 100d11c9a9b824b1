// Gemma 2 (arXiv:2408.00118): Gemma with norms behind attention and feed-forward networks, too, a
// window in every second layer, and softcaps of scores and logits.
#pragma once

#include <cmath>

#include "base/json.h"
#include "base/metadata.h"
#include "model/arch.h"
#include "model/arch/gemma.h"
#include "model/config.h"

namespace nibble {

inline constexpr std::string_view kGemma2Classes[] = {"Gemma2ForCausalLM"};
inline constexpr std::string_view kGemma2ModelTypes[] = {"gemma2"};
inline constexpr CheckpointName kGemma2Names[] = {
    {"post_attention_layernorm", Role::kAttnPostNorm},
    {"pre_feedforward_layernorm", Role::kFfnNorm},
    {"post_feedforward_layernorm", Role::kFfnPostNorm},
};
inline constexpr ConfigKey kGemma2Keys[] = {
    {"attn_logit_softcapping", "attn_logit_softcapping"},
    {"final_logit_softcapping", "final_logit_softcapping"},
};
inline constexpr Role kGemma2Added[] = {Role::kAttnPostNorm, Role::kFfnPostNorm};

// A number of its own scales scores, which is mostly, but not always the size of heads.
inline void add_gemma_scale(const JsonObject& config, Metadata& metadata) {
  if (const auto scalar = config.find_float("query_pre_attn_scalar"); scalar && *scalar > 0) {
    metadata.set(std::string(metadata.require_string("general.architecture")) + ".attention.scale",
                 static_cast<float>(1.0 / std::sqrt(*scalar)));
  }
}

// llama.cpp's converter does not write it; the model with this many layers has another.
inline void scale_by_hidden(ModelConfig& c, int64_t layers) {
  if (c.attention_scale == 0 && c.layers == layers)
    c.attention_scale = 1.0f / std::sqrt(static_cast<float>(c.hidden / c.heads));
}

inline constexpr Arch kGemma2 = {
    .name = "gemma2",
    .hf_classes = kGemma2Classes,
    .hf_model_types = kGemma2ModelTypes,
    .names = kGemma2Names,
    .norms_lack_one = true,
    .keys = kGemma2Keys,
    .add_keys = add_gemma_scale,
    .config_defaults = R"({"tie_word_embeddings": true, "head_dim": 256, "rms_norm_eps": 1e-6,
                           "query_pre_attn_scalar": 256, "sliding_window": 4096,
                           "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0})",
    .hf_activations = kGemmaActivations,
    .added = kGemma2Added,
    .rope_pairs = RopePairs::kHalves,
    .nonlinearity = Nonlinearity::kGeluTanh,
    .scales_embedding = true,
    .window_period = 2,
    .adjust = [](ModelConfig& c) { scale_by_hidden(c, 46); },  // 27B
};

}  // namespace nibble
