// Granite 3 MoE: Granite with experts, with or without one more that all tokens use.
#pragma once

#include "model/arch.h"
#include "model/arch/granite.h"

namespace nibble {

inline constexpr std::string_view kGraniteMoeClasses[] = {"GraniteMoeForCausalLM",
                                                          "GraniteMoeSharedForCausalLM"};
inline constexpr std::string_view kGraniteMoeModelTypes[] = {"granitemoe", "granitemoeshared"};
inline constexpr CheckpointName kGraniteMoeNames[] = {
    {"block_sparse_moe.router.layer", Role::kFfnRouter},
    {"block_sparse_moe.input_linear", Role::kFfnGateExperts, Take::kFirstHalf},
    {"block_sparse_moe.input_linear", Role::kFfnUpExperts, Take::kSecondHalf},
    {"block_sparse_moe.output_linear", Role::kFfnDownExperts},
    {"shared_mlp.input_linear", Role::kFfnGateShared, Take::kFirstHalf},
    {"shared_mlp.input_linear", Role::kFfnUpShared, Take::kSecondHalf},
    {"shared_mlp.output_linear", Role::kFfnDownShared},
};
inline constexpr ConfigKey kGraniteMoeKeys[] = {
    {"attention_multiplier", "attention.scale"},
    {"embedding_multiplier", "embedding_scale"},
    {"residual_multiplier", "residual_scale"},
    {"logits_scaling", "logit_scale"},
    {"shared_intermediate_size", "expert_shared_feed_forward_length", ConfigKey::Kind::kUint},
};
inline constexpr Role kGraniteMoeAdded[] = {Role::kFfnGateShared, Role::kFfnUpShared,
                                            Role::kFfnDownShared};

inline constexpr Arch kGraniteMoe = {
    .name = "granitemoe",
    .hf_classes = kGraniteMoeClasses,
    .hf_model_types = kGraniteMoeModelTypes,
    .permutes_qk = true,
    .names = kGraniteMoeNames,
    .keys = kGraniteMoeKeys,
    .added = kGraniteMoeAdded,
    .divides_logits = true,
};

}  // namespace nibble
