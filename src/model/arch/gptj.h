// GPT-J: attention and feed-forward network side by side behind one layer norm; the first pairs of
// each head turn.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kGptJClasses[] = {"GPTJForCausalLM"};
inline constexpr std::string_view kGptJModelTypes[] = {"gptj"};
inline constexpr std::string_view kGptJIgnored[] = {".attn.bias", ".attn.masked_bias"};
inline constexpr CheckpointName kGptJNames[] = {
    {"wte", Role::kTokenEmbd},
    {"ln_f", Role::kOutputNorm},
    {"ln_1", Role::kAttnNorm},
    {"attn.q_proj", Role::kAttnQ},
    {"attn.k_proj", Role::kAttnK},
    {"attn.v_proj", Role::kAttnV},
    {"attn.out_proj", Role::kAttnOutput},
    {"mlp.fc_in", Role::kFfnUp},
    {"mlp.fc_out", Role::kFfnDown},
};
inline constexpr Role kGptJLeftOut[] = {Role::kFfnNorm, Role::kFfnGate};
inline constexpr Role kGptJBiased[] = {Role::kOutputNorm, Role::kOutput, Role::kAttnNorm,
                                       Role::kFfnUp, Role::kFfnDown};

inline constexpr Arch kGptJ = {
    .name = "gptj",
    .hf_classes = kGptJClasses,
    .hf_model_types = kGptJModelTypes,
    .ignored_suffixes = kGptJIgnored,
    .names = kGptJNames,
    .config_defaults = R"({"rotary_dim": 64, "layer_norm_epsilon": 1e-5})",
    .ffn_ratio = 4,
    .hf_activations = kGeluTanhNames,
    .left_out = kGptJLeftOut,
    .biased = kGptJBiased,
    .norm = NormKind::kLayer,
    .nonlinearity = Nonlinearity::kGeluTanh,
    .is_parallel = true,
};

}  // namespace nibble
