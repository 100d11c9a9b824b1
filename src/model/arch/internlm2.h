// InternLM 2 (arXiv:2403.17297): Llama whose checkpoints hold queries, keys and values in one
// matrix, by groups.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kInternLm2Classes[] = {"InternLM2ForCausalLM"};
inline constexpr std::string_view kInternLm2ModelTypes[] = {"internlm2"};
inline constexpr CheckpointName kInternLm2Names[] = {
    {"tok_embeddings", Role::kTokenEmbd},
    {"output", Role::kOutput},
    {"attention_norm", Role::kAttnNorm},
    {"attention.wqkv", Role::kAttnQ, Take::kGroupQueries},
    {"attention.wqkv", Role::kAttnK, Take::kGroupKeys},
    {"attention.wqkv", Role::kAttnV, Take::kGroupValues},
    {"attention.wo", Role::kAttnOutput},
    {"ffn_norm", Role::kFfnNorm},
    {"feed_forward.w1", Role::kFfnGate},
    {"feed_forward.w3", Role::kFfnUp},
    {"feed_forward.w2", Role::kFfnDown},
};

inline constexpr Arch kInternLm2 = {
    .name = "internlm2",
    .hf_classes = kInternLm2Classes,
    .hf_model_types = kInternLm2ModelTypes,
    .permutes_qk = true,
    .names = kInternLm2Names,
};

}  // namespace nibble
