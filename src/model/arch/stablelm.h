// StableLM 2 and 3B (arXiv:2402.17834): Llama with layer norms; a quarter of each head turns, and
// the larger models have attention and feed-forward network side by side and norms of each head.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kStableLmClasses[] = {"StableLmForCausalLM",
                                                        "StableLMEpochForCausalLM"};
inline constexpr std::string_view kStableLmModelTypes[] = {"stablelm"};
inline constexpr CheckpointName kStableLmNames[] = {
    {"self_attn.q_layernorm.norms.*", Role::kAttnQNorm},
    {"self_attn.k_layernorm.norms.*", Role::kAttnKNorm},
};
inline constexpr ConfigKey kStableLmKeys[] = {
    {"use_parallel_residual", "use_parallel_residual", ConfigKey::Kind::kBool},
};
inline constexpr Role kStableLmOptional[] = {Role::kAttnQNorm, Role::kAttnKNorm, Role::kFfnNorm};
inline constexpr Role kStableLmBiased[] = {Role::kOutputNorm, Role::kAttnNorm};

inline constexpr Arch kStableLm = {
    .name = "stablelm",
    .hf_classes = kStableLmClasses,
    .hf_model_types = kStableLmModelTypes,
    .names = kStableLmNames,
    .keys = kStableLmKeys,
    .config_defaults = R"({"partial_rotary_factor": 0.25})",
    .optional = kStableLmOptional,
    .biased = kStableLmBiased,
    .norm = NormKind::kLayer,
    .qk_norm = QkNorm::kOfHead,
    .rope_pairs = RopePairs::kHalves,
};

}  // namespace nibble
