// Phi-1, 1.5 and 2 (arXiv:2309.05463): attention and feed-forward network side by side behind one
// layer norm, biases everywhere, half of each head turns.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kPhi2Classes[] = {"PhiForCausalLM"};
inline constexpr std::string_view kPhi2ModelTypes[] = {"phi"};
inline constexpr CheckpointName kPhi2Names[] = {
    {"final_layernorm", Role::kOutputNorm},
    {"self_attn.dense", Role::kAttnOutput},
    {"mlp.fc1", Role::kFfnUp},
    {"mlp.fc2", Role::kFfnDown},
};
inline constexpr Role kPhi2LeftOut[] = {Role::kFfnNorm, Role::kFfnGate};
inline constexpr Role kPhi2Biased[] = {Role::kOutputNorm, Role::kOutput, Role::kAttnNorm,
                                       Role::kAttnQ,      Role::kAttnK,  Role::kAttnV,
                                       Role::kAttnOutput, Role::kFfnUp,  Role::kFfnDown};

inline constexpr Arch kPhi2 = {
    .name = "phi2",
    .hf_classes = kPhi2Classes,
    .hf_model_types = kPhi2ModelTypes,
    .names = kPhi2Names,
    .config_defaults = R"({"partial_rotary_factor": 0.5})",
    .ffn_ratio = 4,
    .hf_activations = kGeluTanhNames,
    .left_out = kPhi2LeftOut,
    .biased = kPhi2Biased,
    .norm = NormKind::kLayer,
    .rope_pairs = RopePairs::kHalves,
    .nonlinearity = Nonlinearity::kGeluTanh,
    .is_parallel = true,
};

}  // namespace nibble
