// Phi-3.5-MoE (arXiv:2404.14219): a mixture of experts of which each token takes two by
// SparseMixer, layer norms, biases of attention.
#pragma once

#include "base/metadata.h"
#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kPhiMoeClasses[] = {"PhimoeForCausalLM", "PhiMoEForCausalLM"};
inline constexpr std::string_view kPhiMoeModelTypes[] = {"phimoe"};
inline constexpr CheckpointName kPhiMoeNames[] = {
    {"mlp.router", Role::kFfnRouter},
};
inline constexpr Role kPhiMoeOptional[] = {Role::kRopeFactorsLong, Role::kRopeFactorsShort};
inline constexpr Role kPhiMoeBiased[] = {Role::kOutputNorm, Role::kAttnNorm, Role::kFfnNorm};

// Its layer norms take the number that config.json has for RMS norms, and so does its file.
inline void add_phimoe_epsilon(const JsonObject&, Metadata& metadata) {
  metadata.set("phimoe.attention.layer_norm_rms_epsilon",
               static_cast<float>(metadata.require_float("phimoe.attention.layer_norm_epsilon")));
}

inline constexpr Arch kPhiMoe = {
    .name = "phimoe",
    .hf_classes = kPhiMoeClasses,
    .hf_model_types = kPhiMoeModelTypes,
    .names = kPhiMoeNames,
    .add_keys = add_phimoe_epsilon,
    .optional = kPhiMoeOptional,
    .biased = kPhiMoeBiased,
    .norm = NormKind::kLayer,
    .rope_pairs = RopePairs::kHalves,
    .gating = Gating::kSparseMixer,
};

}  // namespace nibble
