// Qwen 1.5 and 2 MoE (arXiv:2407.10671): Qwen 2 with experts whose weights are not scaled to 1, and
// one more that all tokens use, as far as a gate lets them.
#pragma once

#include "model/arch.h"
#include "model/arch/qwen2.h"

namespace nibble {

inline constexpr std::string_view kQwen2MoeClasses[] = {"Qwen2MoeForCausalLM"};
inline constexpr std::string_view kQwen2MoeModelTypes[] = {"qwen2_moe"};
inline constexpr ConfigKey kQwen2MoeKeys[] = {
    {"moe_intermediate_size", "expert_feed_forward_length", ConfigKey::Kind::kUint},
    {"shared_expert_intermediate_size", "expert_shared_feed_forward_length",
     ConfigKey::Kind::kUint},
    {"norm_topk_prob", "expert_weights_norm", ConfigKey::Kind::kBool},
};
inline constexpr Role kQwen2MoeAdded[] = {Role::kFfnSharedGate, Role::kFfnGateShared,
                                          Role::kFfnUpShared, Role::kFfnDownShared};

inline constexpr Arch kQwen2Moe = {
    .name = "qwen2moe",
    .hf_classes = kQwen2MoeClasses,
    .hf_model_types = kQwen2MoeModelTypes,
    .keys = kQwen2MoeKeys,
    .added = kQwen2MoeAdded,
    .biased = kQwen2Biased,
    .rope_pairs = RopePairs::kHalves,
    .normalizes_experts = false,
};

}  // namespace nibble
