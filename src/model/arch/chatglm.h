// GLM-4 9B (arXiv:2406.12793), which llama.cpp calls by the name of its predecessor: what gates in
// one matrix with what is gated; half of each head turns.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kChatGlmClasses[] = {"GlmForCausalLM"};
inline constexpr std::string_view kChatGlmModelTypes[] = {"glm"};
inline constexpr CheckpointName kChatGlmNames[] = {{"mlp.gate_up_proj", Role::kFfnUp}};
inline constexpr Role kChatGlmLeftOut[] = {Role::kFfnGate};

inline constexpr Arch kChatGlm = {
    .name = "chatglm",
    .hf_classes = kChatGlmClasses,
    .hf_model_types = kChatGlmModelTypes,
    .names = kChatGlmNames,
    .config_defaults = R"({"partial_rotary_factor": 0.5})",
    .left_out = kChatGlmLeftOut,
    .fuses_gate = true,
};

}  // namespace nibble
