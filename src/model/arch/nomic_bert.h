// Nomic Embed 1 and 1.5 (arXiv:2402.01613): BERT whose queries and keys turn, with a gated
// feed-forward network and without biases. Checkpoints are as Nomic published them, or as
// Transformers names them.
#pragma once

#include "model/arch/bert.h"

namespace nibble {

inline constexpr std::string_view kNomicBertClasses[] = {"NomicBertModel", "NomicBertForMaskedLM"};
inline constexpr std::string_view kNomicBertModelTypes[] = {"nomic_bert"};
inline constexpr std::string_view kNomicBertIgnoredPrefixes[] = {"cls.", "pooler.", "bert.pooler.",
                                                                 "nomic_bert.pooler."};
inline constexpr CheckpointName kNomicBertNames[] = {
    {"embeddings.word_embeddings", Role::kTokenEmbd},
    {"embeddings.token_type_embeddings", Role::kTokenTypes},
    {"emb_ln", Role::kTokenEmbdNorm},
    {"attn.Wqkv", Role::kAttnQkv},
    {"attn.out_proj", Role::kAttnOutput},
    {"norm1", Role::kAttnOutputNorm},
    {"mlp.fc11", Role::kFfnUp},
    {"mlp.fc12", Role::kFfnGate},
    {"mlp.fc2", Role::kFfnDown},
    {"norm2", Role::kLayerOutputNorm},
    {"embeddings.LayerNorm", Role::kTokenEmbdNorm},
    {"post_attention_layernorm", Role::kAttnOutputNorm},
    {"post_mlp_layernorm", Role::kLayerOutputNorm},
};
inline constexpr ConfigKey kNomicBertKeys[] = {
    {"rotary_emb_base", "rope.freq_base"},
};
inline constexpr Role kNomicBertAdded[] = {Role::kTokenTypes, Role::kTokenEmbdNorm,
                                           Role::kAttnOutputNorm, Role::kLayerOutputNorm};
inline constexpr Role kNomicBertLeftOut[] = {Role::kOutput, Role::kOutputNorm, Role::kAttnNorm,
                                             Role::kFfnNorm};
inline constexpr Role kNomicBertBiased[] = {Role::kTokenEmbdNorm, Role::kAttnOutputNorm,
                                            Role::kLayerOutputNorm};
inline constexpr std::string_view kNomicBertActivations[] = {"swiglu", "silu", "swish"};

// Nomic's own config can say more than what its models do. Its n_positions are those that a scaling
// of RoPE reaches, which begins behind the 2048 that were trained.
inline void add_nomic_bert_keys(const JsonObject& config, Metadata& metadata) {
  for (const char* flag :
       {"prenorm", "parallel_block", "causal", "rotary_emb_interleaved", "use_rms_norm"}) {
    if (!config.find_bool(flag).value_or(false)) continue;
    fail(ErrorCode::kUnsupported, "{}: \"{}\" is not supported for nomic-bert", config.file_name(),
         flag);
  }
  if (config.find_float("rotary_emb_fraction").value_or(1.0) != 1.0 ||
      config.find_uint("num_experts").value_or(0) > 0) {
    fail(ErrorCode::kUnsupported,
         "{}: \"rotary_emb_fraction\" other than 1 or \"num_experts\" is not supported for "
         "nomic-bert",
         config.file_name());
  }
  if (config.find("n_positions") != nullptr)
    metadata.set("nomic-bert.context_length",
                 static_cast<uint32_t>(config.find_uint("max_trained_positions").value_or(2048)));
  add_encoder_keys(config, "nomic-bert", metadata);
}

inline constexpr Arch kNomicBert = {
    .name = "nomic-bert",
    .hf_classes = kNomicBertClasses,
    .hf_model_types = kNomicBertModelTypes,
    .ignored_suffixes = kBertIgnored,
    .ignored_prefixes = kNomicBertIgnoredPrefixes,
    .names = kNomicBertNames,
    .keys = kNomicBertKeys,
    .add_keys = add_nomic_bert_keys,
    .config_defaults = R"({"tie_word_embeddings": true, "layer_norm_epsilon": 1e-12,
                           "type_vocab_size": 2, "rope_theta": 1000.0})",
    .hf_activations = kNomicBertActivations,
    .added = kNomicBertAdded,
    .left_out = kNomicBertLeftOut,
    .biased = kNomicBertBiased,
    .norm = NormKind::kLayer,
    .rope_pairs = RopePairs::kHalves,
    .is_encoder = true,
    .epsilon = 1e-12f,
};

}  // namespace nibble
