// Phi-3, 3.5 and 4 (arXiv:2404.14219): Llama with queries, keys and values in one matrix, and what
// gates the feed-forward network in one with what is gated.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kPhi3Classes[] = {"Phi3ForCausalLM"};
inline constexpr std::string_view kPhi3ModelTypes[] = {"phi3"};
inline constexpr CheckpointName kPhi3Names[] = {
    {"self_attn.qkv_proj", Role::kAttnQkv},
    {"mlp.gate_up_proj", Role::kFfnUp},
};
inline constexpr Role kPhi3Added[] = {Role::kAttnQkv};
inline constexpr Role kPhi3Optional[] = {Role::kRopeFactorsLong, Role::kRopeFactorsShort};
inline constexpr Role kPhi3LeftOut[] = {Role::kFfnGate};

inline constexpr Arch kPhi3 = {
    .name = "phi3",
    .hf_classes = kPhi3Classes,
    .hf_model_types = kPhi3ModelTypes,
    .names = kPhi3Names,
    .added = kPhi3Added,
    .optional = kPhi3Optional,
    .left_out = kPhi3LeftOut,
    .rope_pairs = RopePairs::kHalves,
    .fuses_gate = true,
};

}  // namespace nibble
