// Qwen 1.5, 2 and 2.5 (arXiv:2407.10671): Llama with biases of queries, keys and values.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kQwen2Classes[] = {"Qwen2ForCausalLM", "Qwen2Model"};
inline constexpr std::string_view kQwen2ModelTypes[] = {"qwen2"};
inline constexpr Role kQwen2Biased[] = {Role::kAttnQ, Role::kAttnK, Role::kAttnV};

inline constexpr Arch kQwen2 = {
    .name = "qwen2",
    .hf_classes = kQwen2Classes,
    .hf_model_types = kQwen2ModelTypes,
    .biased = kQwen2Biased,
    .rope_pairs = RopePairs::kHalves,
};

}  // namespace nibble
