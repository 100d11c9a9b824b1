// Falcon 7B, 40B and 11B (arXiv:2311.16867): attention and feed-forward network side by side behind
// one layer norm, or each behind its own.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "base/metadata.h"
#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kFalconClasses[] = {"FalconForCausalLM", "RWForCausalLM"};
inline constexpr std::string_view kFalconModelTypes[] = {"falcon"};
inline constexpr CheckpointName kFalconNames[] = {
    {"word_embeddings", Role::kTokenEmbd},
    {"ln_f", Role::kOutputNorm},
    {"input_layernorm", Role::kAttnNorm},
    {"ln_mlp", Role::kAttnNorm},
    {"ln_attn", Role::kAttnNorm2},
    {"self_attention.query_key_value", Role::kAttnQkv, Take::kGroups},
    {"self_attention.dense", Role::kAttnOutput},
    {"mlp.dense_h_to_4h", Role::kFfnUp},
    {"mlp.dense_4h_to_h", Role::kFfnDown},
};
inline constexpr Role kFalconAdded[] = {Role::kAttnQkv};
inline constexpr Role kFalconOptional[] = {Role::kAttnNorm2};
inline constexpr Role kFalconLeftOut[] = {Role::kFfnNorm, Role::kFfnGate};
inline constexpr Role kFalconBiased[] = {Role::kOutputNorm, Role::kAttnNorm};

// Its first form has one head of keys, or as many as of queries; "num_kv_heads" then means nothing.
inline void add_falcon_heads(const JsonObject& config, Metadata& metadata) {
  if (config.find_bool("alibi").value_or(false) ||
      !config.find_bool("parallel_attn").value_or(true)) {
    fail(ErrorCode::kUnsupported,
         "{}: \"alibi\" or no \"parallel_attn\" is not supported for falcon", config.file_name());
  }
  metadata.set("falcon.tensor_data_layout", std::string("jploski"));
  if (config.find_bool("new_decoder_architecture").value_or(false)) return;
  const bool has_one = config.find_bool("multi_query").value_or(true);
  metadata.set("falcon.attention.head_count_kv",
               has_one
                   ? uint32_t{1}
                   : static_cast<uint32_t>(metadata.require_uint("falcon.attention.head_count")));
}

inline constexpr Arch kFalcon = {
    .name = "falcon",
    .hf_classes = kFalconClasses,
    .hf_model_types = kFalconModelTypes,
    .names = kFalconNames,
    .add_keys = add_falcon_heads,
    .config_defaults = R"({"tie_word_embeddings": true, "max_position_embeddings": 2048,
                           "layer_norm_epsilon": 1e-5})",
    .ffn_ratio = 4,
    .hf_activations = kGeluNames,
    .added = kFalconAdded,
    .optional = kFalconOptional,
    .left_out = kFalconLeftOut,
    .biased = kFalconBiased,
    .norm = NormKind::kLayer,
    .rope_pairs = RopePairs::kHalves,
    .nonlinearity = Nonlinearity::kGelu,
    .is_parallel = true,
};

}  // namespace nibble
