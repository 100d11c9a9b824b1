// GPT-2: learned positions, layer norms, biases everywhere, GELU without a gate; matrices of its
// checkpoints are transposed.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kGpt2Classes[] = {"GPT2LMHeadModel"};
inline constexpr std::string_view kGpt2ModelTypes[] = {"gpt2"};
inline constexpr std::string_view kGpt2Ignored[] = {".attn.bias", ".attn.masked_bias"};
inline constexpr CheckpointName kGpt2Names[] = {
    {"wte", Role::kTokenEmbd},
    {"wpe", Role::kPositionEmbd},
    {"ln_f", Role::kOutputNorm},
    {"ln_1", Role::kAttnNorm},
    {"attn.c_attn", Role::kAttnQkv, Take::kTransposed},
    {"attn.c_proj", Role::kAttnOutput, Take::kTransposed},
    {"ln_2", Role::kFfnNorm},
    {"mlp.c_fc", Role::kFfnUp, Take::kTransposed},
    {"mlp.c_proj", Role::kFfnDown, Take::kTransposed},
};
inline constexpr Role kGpt2Added[] = {Role::kPositionEmbd, Role::kAttnQkv};
inline constexpr Role kGpt2LeftOut[] = {Role::kFfnGate};
inline constexpr Role kGpt2Biased[] = {Role::kOutputNorm, Role::kAttnNorm, Role::kAttnQkv,
                                       Role::kAttnOutput, Role::kFfnNorm,  Role::kFfnUp,
                                       Role::kFfnDown};

inline constexpr Arch kGpt2 = {
    .name = "gpt2",
    .hf_classes = kGpt2Classes,
    .hf_model_types = kGpt2ModelTypes,
    .ignored_suffixes = kGpt2Ignored,
    .names = kGpt2Names,
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
