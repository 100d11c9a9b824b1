// Command R7B and A (arXiv:2504.00698): Command R with windows; layers that see everything know no
// positions.
#pragma once

#include "model/arch.h"
#include "model/arch/command_r.h"

namespace nibble {

inline constexpr std::string_view kCohere2Classes[] = {"Cohere2ForCausalLM"};
inline constexpr std::string_view kCohere2ModelTypes[] = {"cohere2"};

inline constexpr Arch kCohere2 = {
    .name = "cohere2",
    .hf_classes = kCohere2Classes,
    .hf_model_types = kCohere2ModelTypes,
    .keys = kCommandRKeys,
    .config_defaults = R"({"tie_word_embeddings": true})",
    .left_out = kCommandRLeftOut,
    .norm = NormKind::kLayer,
    .is_parallel = true,
    .window_period = 4,
    .only_windows_rotate = true,
};

}  // namespace nibble
