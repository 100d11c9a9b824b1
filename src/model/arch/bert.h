// BERT (arXiv:1810.04805) and what was made of it for embeddings: an encoder with learned positions
// and a layer norm behind each addition. All tokens are of the first segment.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "base/metadata.h"
#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kBertClasses[] = {"BertModel", "BertForMaskedLM"};
inline constexpr std::string_view kBertModelTypes[] = {"bert"};
// Heads of other tasks, and numbers that say nothing.
inline constexpr std::string_view kBertIgnored[] = {".position_ids", ".token_type_ids"};
inline constexpr std::string_view kBertIgnoredPrefixes[] = {"cls.", "pooler.", "bert.pooler."};
inline constexpr CheckpointName kBertNames[] = {
    {"embeddings.word_embeddings", Role::kTokenEmbd},
    {"embeddings.position_embeddings", Role::kPositionEmbd},
    {"embeddings.token_type_embeddings", Role::kTokenTypes},
    {"embeddings.LayerNorm", Role::kTokenEmbdNorm},
    {"attention.self.query", Role::kAttnQ},
    {"attention.self.key", Role::kAttnK},
    {"attention.self.value", Role::kAttnV},
    {"attention.output.dense", Role::kAttnOutput},
    {"attention.output.LayerNorm", Role::kAttnOutputNorm},
    {"intermediate.dense", Role::kFfnUp},
    {"output.dense", Role::kFfnDown},
    {"output.LayerNorm", Role::kLayerOutputNorm},
    // As the first checkpoints have them.
    {"embeddings.LayerNorm.gamma", Role::kTokenEmbdNorm},
    {"embeddings.LayerNorm.beta", Role::kTokenEmbdNorm, Take::kAll, true},
    {"attention.output.LayerNorm.gamma", Role::kAttnOutputNorm},
    {"attention.output.LayerNorm.beta", Role::kAttnOutputNorm, Take::kAll, true},
    {"output.LayerNorm.gamma", Role::kLayerOutputNorm},
    {"output.LayerNorm.beta", Role::kLayerOutputNorm, Take::kAll, true},
};
inline constexpr Role kBertAdded[] = {Role::kPositionEmbd, Role::kTokenTypes, Role::kTokenEmbdNorm,
                                      Role::kAttnOutputNorm, Role::kLayerOutputNorm};
inline constexpr Role kBertLeftOut[] = {Role::kOutput, Role::kOutputNorm, Role::kAttnNorm,
                                        Role::kFfnNorm, Role::kFfnGate};
inline constexpr Role kBertBiased[] = {
    Role::kTokenEmbdNorm,  Role::kAttnQ, Role::kAttnK,   Role::kAttnV,          Role::kAttnOutput,
    Role::kAttnOutputNorm, Role::kFfnUp, Role::kFfnDown, Role::kLayerOutputNorm};

inline void add_encoder_keys(const JsonObject& config, const std::string& arch,
                             Metadata& metadata) {
  metadata.set(arch + ".attention.causal", false);
  metadata.set("tokenizer.ggml.token_type_count",
               static_cast<uint32_t>(config.require_uint("type_vocab_size")));
}

inline void add_bert_keys(const JsonObject& config, Metadata& metadata) {
  const auto positions = config.find_string("position_embedding_type").value_or("absolute");
  if (positions != "absolute" || config.find_bool("is_decoder").value_or(false)) {
    fail(ErrorCode::kUnsupported,
         "{}: \"position_embedding_type\" \"{}\" or \"is_decoder\" is not supported for bert, only "
         "encoders with \"absolute\"",
         config.file_name(), positions);
  }
  add_encoder_keys(config, "bert", metadata);
}

inline constexpr Arch kBert = {
    .name = "bert",
    .hf_classes = kBertClasses,
    .hf_model_types = kBertModelTypes,
    .ignored_suffixes = kBertIgnored,
    .ignored_prefixes = kBertIgnoredPrefixes,
    .names = kBertNames,
    .add_keys = add_bert_keys,
    .config_defaults = R"({"tie_word_embeddings": true, "layer_norm_eps": 1e-12,
                           "type_vocab_size": 2})",
    .hf_activations = kGeluNames,
    .added = kBertAdded,
    .left_out = kBertLeftOut,
    .biased = kBertBiased,
    .norm = NormKind::kLayer,
    .positions = PositionKind::kLearned,
    .nonlinearity = Nonlinearity::kGelu,
    .is_encoder = true,
    .epsilon = 1e-12f,
};

}  // namespace nibble
