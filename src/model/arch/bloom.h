// BLOOM (arXiv:2211.05100): ALiBi instead of positions, layer norms, also of the embedding, biases
// everywhere.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kBloomClasses[] = {"BloomForCausalLM", "BloomModel"};
inline constexpr std::string_view kBloomModelTypes[] = {"bloom"};
inline constexpr CheckpointName kBloomNames[] = {
    {"word_embeddings", Role::kTokenEmbd},
    {"word_embeddings_layernorm", Role::kTokenEmbdNorm},
    {"ln_f", Role::kOutputNorm},
    {"self_attention.query_key_value", Role::kAttnQkv, Take::kGroups},
    {"self_attention.dense", Role::kAttnOutput},
    {"mlp.dense_h_to_4h", Role::kFfnUp},
    {"mlp.dense_4h_to_h", Role::kFfnDown},
};
inline constexpr Role kBloomAdded[] = {Role::kTokenEmbdNorm, Role::kAttnQkv};
inline constexpr Role kBloomLeftOut[] = {Role::kFfnGate};
inline constexpr Role kBloomBiased[] = {Role::kTokenEmbdNorm, Role::kOutputNorm, Role::kAttnNorm,
                                        Role::kAttnQkv,       Role::kAttnOutput, Role::kFfnNorm,
                                        Role::kFfnUp,         Role::kFfnDown};

inline constexpr Arch kBloom = {
    .name = "bloom",
    .hf_classes = kBloomClasses,
    .hf_model_types = kBloomModelTypes,
    .names = kBloomNames,
    .config_defaults = R"({"tie_word_embeddings": true, "seq_length": 2048})",
    .ffn_ratio = 4,
    .hf_activations = kGeluTanhNames,
    .added = kBloomAdded,
    .left_out = kBloomLeftOut,
    .biased = kBloomBiased,
    .norm = NormKind::kLayer,
    .positions = PositionKind::kAlibi,
    .nonlinearity = Nonlinearity::kGeluTanh,
};

}  // namespace nibble
