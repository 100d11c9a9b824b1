// EXAONE 4 (arXiv:2507.11407): norms behind attention and feed-forward networks instead of before
// them, and of queries and keys; the larger one has windows, and turns only where there is one.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kExaone4Classes[] = {"Exaone4ForCausalLM"};
inline constexpr std::string_view kExaone4ModelTypes[] = {"exaone4"};
inline constexpr CheckpointName kExaone4Names[] = {
    {"post_attention_layernorm", Role::kAttnPostNorm},
    {"post_feedforward_layernorm", Role::kFfnPostNorm},
};
inline constexpr Role kExaone4Added[] = {Role::kAttnQNorm, Role::kAttnKNorm, Role::kAttnPostNorm,
                                         Role::kFfnPostNorm};
inline constexpr Role kExaone4LeftOut[] = {Role::kAttnNorm, Role::kFfnNorm};

inline constexpr Arch kExaone4 = {
    .name = "exaone4",
    .hf_classes = kExaone4Classes,
    .hf_model_types = kExaone4ModelTypes,
    .names = kExaone4Names,
    .added = kExaone4Added,
    .left_out = kExaone4LeftOut,
    .rope_pairs = RopePairs::kHalves,
    .window_period = 4,
    .only_windows_rotate = true,
};

}  // namespace nibble
