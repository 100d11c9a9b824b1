// Qwen 3 MoE (arXiv:2505.09388): Qwen 3 with experts.
#pragma once

#include "model/arch.h"
#include "model/arch/qwen3.h"

namespace nibble {

inline constexpr std::string_view kQwen3MoeClasses[] = {"Qwen3MoeForCausalLM"};
inline constexpr std::string_view kQwen3MoeModelTypes[] = {"qwen3_moe"};
inline constexpr ConfigKey kQwen3MoeKeys[] = {
    {"moe_intermediate_size", "expert_feed_forward_length", ConfigKey::Kind::kUint},
    {"norm_topk_prob", "expert_weights_norm", ConfigKey::Kind::kBool},
};

inline constexpr Arch kQwen3Moe = {
    .name = "qwen3moe",
    .hf_classes = kQwen3MoeClasses,
    .hf_model_types = kQwen3MoeModelTypes,
    .keys = kQwen3MoeKeys,
    .config_defaults = R"({"head_dim": 128})",
    .added = kQwen3Added,
    .rope_pairs = RopePairs::kHalves,
};

}  // namespace nibble
