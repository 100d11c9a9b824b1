// Command R and Aya: attention and feed-forward network side by side behind one layer norm without
// bias, scaled logits; the larger ones have norms of each head.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kCommandRClasses[] = {"CohereForCausalLM"};
inline constexpr std::string_view kCommandRModelTypes[] = {"cohere"};
inline constexpr ConfigKey kCommandRKeys[] = {{"logit_scale", "logit_scale"}};
inline constexpr Role kCommandROptional[] = {Role::kAttnQNorm, Role::kAttnKNorm};
inline constexpr Role kCommandRLeftOut[] = {Role::kFfnNorm};

inline constexpr Arch kCommandR = {
    .name = "command-r",
    .hf_classes = kCommandRClasses,
    .hf_model_types = kCommandRModelTypes,
    .keys = kCommandRKeys,
    .config_defaults = R"({"tie_word_embeddings": true})",
    .optional = kCommandROptional,
    .left_out = kCommandRLeftOut,
    .norm = NormKind::kLayer,
    .qk_norm = QkNorm::kOfHead,
    .is_parallel = true,
};

}  // namespace nibble
