// OLMoE (arXiv:2409.02060): a mixture of experts whose weights are not scaled to 1, with norms of
// queries and keys.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kOlmoeClasses[] = {"OlmoeForCausalLM"};
inline constexpr std::string_view kOlmoeModelTypes[] = {"olmoe"};
inline constexpr ConfigKey kOlmoeKeys[] = {
    {"clip_qkv", "attention.clamp_kqv"},
    {"norm_topk_prob", "expert_weights_norm", ConfigKey::Kind::kBool},
};
inline constexpr Role kOlmoeAdded[] = {Role::kAttnQNorm, Role::kAttnKNorm};

inline constexpr Arch kOlmoe = {
    .name = "olmoe",
    .hf_classes = kOlmoeClasses,
    .hf_model_types = kOlmoeModelTypes,
    .keys = kOlmoeKeys,
    .config_defaults = R"({"rms_norm_eps": 1e-5})",
    .added = kOlmoeAdded,
    .qk_norm = QkNorm::kRow,
    .rope_pairs = RopePairs::kHalves,
    .normalizes_experts = false,
};

}  // namespace nibble
