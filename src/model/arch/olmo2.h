// OLMo 2 and 3 (arXiv:2501.00656): Llama with norms behind attention and feed-forward networks
// instead of before them, and of queries and keys; OLMo 3 has windows.
#pragma once

#include "model/arch.h"
#include "model/config.h"

namespace nibble {

inline constexpr std::string_view kOlmo2Classes[] = {"Olmo2ForCausalLM", "Olmo3ForCausalLM"};
inline constexpr std::string_view kOlmo2ModelTypes[] = {"olmo2", "olmo3"};
inline constexpr CheckpointName kOlmo2Names[] = {
    {"post_attention_layernorm", Role::kAttnPostNorm},
    {"post_feedforward_layernorm", Role::kFfnPostNorm},
};
inline constexpr Role kOlmo2Added[] = {Role::kAttnQNorm, Role::kAttnKNorm, Role::kAttnPostNorm,
                                       Role::kFfnPostNorm};
inline constexpr Role kOlmo2LeftOut[] = {Role::kAttnNorm, Role::kFfnNorm};

inline constexpr Arch kOlmo2 = {
    .name = "olmo2",
    .hf_classes = kOlmo2Classes,
    .hf_model_types = kOlmo2ModelTypes,
    .names = kOlmo2Names,
    .added = kOlmo2Added,
    .left_out = kOlmo2LeftOut,
    .qk_norm = QkNorm::kRow,
    .rope_pairs = RopePairs::kHalves,
    .window_period = 4,
    // Where a window is seen, no scaling.
    .adjust = [](ModelConfig& c) { c.local_rope_base = c.window > 0 ? c.rope_base : 0; },
};

}  // namespace nibble
