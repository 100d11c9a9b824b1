// EXAONE 3 (arXiv:2408.03541): Llama under other names.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kExaoneClasses[] = {"ExaoneForCausalLM"};
inline constexpr std::string_view kExaoneModelTypes[] = {"exaone"};
inline constexpr CheckpointName kExaoneNames[] = {
    {"wte", Role::kTokenEmbd},
    {"ln_f", Role::kOutputNorm},
    {"ln_1", Role::kAttnNorm},
    {"attn.attention.q_proj", Role::kAttnQ},
    {"attn.attention.k_proj", Role::kAttnK},
    {"attn.attention.v_proj", Role::kAttnV},
    {"attn.attention.out_proj", Role::kAttnOutput},
    {"ln_2", Role::kFfnNorm},
    {"mlp.c_fc_0", Role::kFfnGate},
    {"mlp.c_fc_1", Role::kFfnUp},
    {"mlp.c_proj", Role::kFfnDown},
};

inline constexpr Arch kExaone = {
    .name = "exaone",
    .hf_classes = kExaoneClasses,
    .hf_model_types = kExaoneModelTypes,
    .names = kExaoneNames,
    .rope_pairs = RopePairs::kHalves,
};

}  // namespace nibble
