// OLMo 1 (arXiv:2402.00838): Llama with layer norms that have no weights, and limits for queries,
// keys and values.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kOlmoClasses[] = {"OlmoForCausalLM", "OLMoForCausalLM"};
inline constexpr std::string_view kOlmoModelTypes[] = {"olmo"};
inline constexpr ConfigKey kOlmoKeys[] = {{"clip_qkv", "attention.clamp_kqv"}};
inline constexpr Role kOlmoLeftOut[] = {Role::kOutputNorm, Role::kAttnNorm, Role::kFfnNorm};

inline constexpr Arch kOlmo = {
    .name = "olmo",
    .hf_classes = kOlmoClasses,
    .hf_model_types = kOlmoModelTypes,
    .permutes_qk = true,
    .keys = kOlmoKeys,
    .config_defaults = R"({"layer_norm_eps": 1e-5})",
    .left_out = kOlmoLeftOut,
    .norm = NormKind::kLayer,
    .norms_lack_weights = true,
};

}  // namespace nibble
