// StarCoder 2 (arXiv:2402.19173): layer norms, biases everywhere, GELU without a gate, a window.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kStarCoder2Classes[] = {"Starcoder2ForCausalLM"};
inline constexpr std::string_view kStarCoder2ModelTypes[] = {"starcoder2"};
inline constexpr CheckpointName kStarCoder2Names[] = {
    {"mlp.c_fc", Role::kFfnUp},
    {"mlp.c_proj", Role::kFfnDown},
};
inline constexpr Role kStarCoder2LeftOut[] = {Role::kFfnGate};
inline constexpr Role kStarCoder2Biased[] = {Role::kOutputNorm, Role::kAttnNorm, Role::kAttnQ,
                                             Role::kAttnK,      Role::kAttnV,    Role::kAttnOutput,
                                             Role::kFfnNorm,    Role::kFfnUp,    Role::kFfnDown};

inline constexpr Arch kStarCoder2 = {
    .name = "starcoder2",
    .hf_classes = kStarCoder2Classes,
    .hf_model_types = kStarCoder2ModelTypes,
    .names = kStarCoder2Names,
    .config_defaults = R"({"tie_word_embeddings": true, "norm_epsilon": 1e-5})",
    .hf_activations = kGeluTanhNames,
    .left_out = kStarCoder2LeftOut,
    .biased = kStarCoder2Biased,
    .norm = NormKind::kLayer,
    .rope_pairs = RopePairs::kHalves,
    .nonlinearity = Nonlinearity::kGeluTanh,
};

}  // namespace nibble
