// GPT-NeoX and Pythia (arXiv:2204.06745, 2304.01373): attention and feed-forward network side by
// side behind layer norms of their own; a part of each head turns.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kGptNeoXClasses[] = {"GPTNeoXForCausalLM"};
inline constexpr std::string_view kGptNeoXModelTypes[] = {"gpt_neox"};
inline constexpr std::string_view kGptNeoXIgnored[] = {".attention.bias", ".attention.masked_bias",
                                                       ".rotary_emb.inv_freq"};
inline constexpr CheckpointName kGptNeoXNames[] = {
    {"embed_in", Role::kTokenEmbd},
    {"final_layer_norm", Role::kOutputNorm},
    {"embed_out", Role::kOutput},
    {"attention.query_key_value", Role::kAttnQkv, Take::kGroups},
    {"attention.dense", Role::kAttnOutput},
    {"mlp.dense_h_to_4h", Role::kFfnUp},
    {"mlp.dense_4h_to_h", Role::kFfnDown},
};
inline constexpr ConfigKey kGptNeoXKeys[] = {
    {"use_parallel_residual", "use_parallel_residual", ConfigKey::Kind::kBool},
};
inline constexpr Role kGptNeoXAdded[] = {Role::kAttnQkv};
inline constexpr Role kGptNeoXLeftOut[] = {Role::kFfnGate};
inline constexpr Role kGptNeoXBiased[] = {Role::kOutputNorm, Role::kAttnNorm, Role::kAttnQkv,
                                          Role::kAttnOutput, Role::kFfnNorm,  Role::kFfnUp,
                                          Role::kFfnDown};

inline constexpr Arch kGptNeoX = {
    .name = "gptneox",
    .hf_classes = kGptNeoXClasses,
    .hf_model_types = kGptNeoXModelTypes,
    .ignored_suffixes = kGptNeoXIgnored,
    .names = kGptNeoXNames,
    .keys = kGptNeoXKeys,
    .config_defaults = R"({"rotary_pct": 0.25})",
    .hf_activations = kGeluNames,
    .added = kGptNeoXAdded,
    .left_out = kGptNeoXLeftOut,
    .biased = kGptNeoXBiased,
    .norm = NormKind::kLayer,
    .rope_pairs = RopePairs::kHalves,
    .nonlinearity = Nonlinearity::kGelu,
    .is_parallel = true,
};

}  // namespace nibble
