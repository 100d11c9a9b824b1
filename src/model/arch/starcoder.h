// StarCoder 1 (arXiv:2305.06161): GPT-2 with one head of keys and values.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "base/metadata.h"
#include "model/arch.h"
#include "model/arch/gpt2.h"

namespace nibble {

inline constexpr std::string_view kStarCoderClasses[] = {"GPTBigCodeForCausalLM"};
inline constexpr std::string_view kStarCoderModelTypes[] = {"gpt_bigcode"};
inline constexpr CheckpointName kStarCoderNames[] = {
    {"wte", Role::kTokenEmbd}, {"wpe", Role::kPositionEmbd},    {"ln_f", Role::kOutputNorm},
    {"ln_1", Role::kAttnNorm}, {"attn.c_attn", Role::kAttnQkv}, {"attn.c_proj", Role::kAttnOutput},
    {"ln_2", Role::kFfnNorm},  {"mlp.c_fc", Role::kFfnUp},      {"mlp.c_proj", Role::kFfnDown},
};

inline void add_starcoder_heads(const JsonObject& config, Metadata& metadata) {
  if (!config.find_bool("multi_query").value_or(true)) {
    fail(ErrorCode::kUnsupported,
         "{}: \"multi_query\" is false; only one head of keys is supported", config.file_name());
  }
  metadata.set("starcoder.attention.head_count_kv", uint32_t{1});
}

inline constexpr Arch kStarCoder = {
    .name = "starcoder",
    .hf_classes = kStarCoderClasses,
    .hf_model_types = kStarCoderModelTypes,
    .ignored_suffixes = kGpt2Ignored,
    .names = kStarCoderNames,
    .add_keys = add_starcoder_heads,
    .config_defaults = R"({"tie_word_embeddings": true, "layer_norm_epsilon": 1e-5})",
    .ffn_ratio = 4,
    .hf_activations = kGeluTanhNames,
    .added = kGpt2Added,
    .left_out = kGpt2LeftOut,
    .biased = kGpt2Biased,
    .norm = NormKind::kLayer,
    .positions = PositionKind::kLearned,
    .nonlinearity = Nonlinearity::kGeluTanh,
};

}  // namespace nibble
