// Qwen 3 (arXiv:2505.09388): Llama with norms of queries and keys.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kQwen3Classes[] = {"Qwen3ForCausalLM", "Qwen3Model"};
inline constexpr std::string_view kQwen3ModelTypes[] = {"qwen3"};
inline constexpr Role kQwen3Added[] = {Role::kAttnQNorm, Role::kAttnKNorm};

inline constexpr Arch kQwen3 = {
    .name = "qwen3",
    .hf_classes = kQwen3Classes,
    .hf_model_types = kQwen3ModelTypes,
    .config_defaults = R"({"head_dim": 128})",
    .added = kQwen3Added,
    .rope_pairs = RopePairs::kHalves,
};

}  // namespace nibble
