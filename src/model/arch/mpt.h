// MPT: ALiBi instead of positions, layer norms without biases, GELU without a gate.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "base/metadata.h"
#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kMptClasses[] = {"MPTForCausalLM", "MptForCausalLM"};
inline constexpr std::string_view kMptModelTypes[] = {"mpt"};
inline constexpr CheckpointName kMptNames[] = {
    {"wte", Role::kTokenEmbd},
    {"norm_f", Role::kOutputNorm},
    {"norm_1", Role::kAttnNorm},
    {"attn.Wqkv", Role::kAttnQkv},
    {"attn.out_proj", Role::kAttnOutput},
    {"norm_2", Role::kFfnNorm},
    {"ffn.up_proj", Role::kFfnUp},
    {"ffn.down_proj", Role::kFfnDown},
};
inline constexpr Role kMptAdded[] = {Role::kAttnQkv};
inline constexpr Role kMptLeftOut[] = {Role::kFfnGate};

inline void add_mpt_attention(const JsonObject& config, Metadata& metadata) {
  const JsonObject attention(config.require("attn_config"), config.file_name());
  if (!attention.find_bool("alibi").value_or(true) ||
      attention.find_bool("qk_ln").value_or(false)) {
    fail(ErrorCode::kUnsupported, "{}: MPT without \"alibi\" or with \"qk_ln\" is not supported",
         config.file_name());
  }
  if (const auto kv_heads = attention.find_uint("kv_n_heads"))
    metadata.set("mpt.attention.head_count_kv", static_cast<uint32_t>(*kv_heads));
  metadata.set("mpt.attention.max_alibi_bias",
               static_cast<float>(attention.find_float("alibi_bias_max").value_or(8.0)));
  if (const auto limit = attention.find_float("clip_qkv"))
    metadata.set("mpt.attention.clamp_kqv", static_cast<float>(*limit));
  if (const auto scale = attention.find_float("softmax_scale"))
    metadata.set("mpt.attention.scale", static_cast<float>(*scale));
}

inline constexpr Arch kMpt = {
    .name = "mpt",
    .hf_classes = kMptClasses,
    .hf_model_types = kMptModelTypes,
    .names = kMptNames,
    .add_keys = add_mpt_attention,
    .config_defaults = R"({"tie_word_embeddings": true, "layer_norm_epsilon": 1e-5})",
    .ffn_ratio = 4,
    .hf_activations = kGeluNames,
    .added = kMptAdded,
    .left_out = kMptLeftOut,
    .norm = NormKind::kLayer,
    .positions = PositionKind::kAlibi,
    .nonlinearity = Nonlinearity::kGelu,
};

}  // namespace nibble
