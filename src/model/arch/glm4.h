// GLM-4 0414 (arXiv:2406.12793): norms before and behind attention and feed-forward networks, what
// gates in one matrix with what is gated; half of each head turns.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kGlm4Classes[] = {"Glm4ForCausalLM"};
inline constexpr std::string_view kGlm4ModelTypes[] = {"glm4"};
inline constexpr CheckpointName kGlm4Names[] = {
    {"post_self_attn_layernorm", Role::kAttnPostNorm},
    {"post_mlp_layernorm", Role::kFfnPostNorm},
    {"mlp.gate_up_proj", Role::kFfnUp},
};
inline constexpr Role kGlm4Added[] = {Role::kAttnPostNorm, Role::kFfnPostNorm};
inline constexpr Role kGlm4LeftOut[] = {Role::kFfnGate};

inline constexpr Arch kGlm4 = {
    .name = "glm4",
    .hf_classes = kGlm4Classes,
    .hf_model_types = kGlm4ModelTypes,
    .names = kGlm4Names,
    .config_defaults = R"({"partial_rotary_factor": 0.5})",
    .added = kGlm4Added,
    .left_out = kGlm4LeftOut,
    .fuses_gate = true,
};

}  // namespace nibble
