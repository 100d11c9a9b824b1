// Granite 3: Llama with scales of the embedding, of scores, of what layers add, and of logits.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kGraniteClasses[] = {"GraniteForCausalLM"};
inline constexpr std::string_view kGraniteModelTypes[] = {"granite"};
inline constexpr ConfigKey kGraniteKeys[] = {
    {"attention_multiplier", "attention.scale"},
    {"embedding_multiplier", "embedding_scale"},
    {"residual_multiplier", "residual_scale"},
    {"logits_scaling", "logit_scale"},
};

inline constexpr Arch kGranite = {
    .name = "granite",
    .hf_classes = kGraniteClasses,
    .hf_model_types = kGraniteModelTypes,
    .permutes_qk = true,
    .keys = kGraniteKeys,
    .divides_logits = true,
};

}  // namespace nibble
