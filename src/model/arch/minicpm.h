// MiniCPM 1 and 2 (arXiv:2404.06395): Llama with scales of the embedding, of what layers add, and
// of logits.
#pragma once

#include <cmath>

#include "base/json.h"
#include "base/metadata.h"
#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kMiniCpmClasses[] = {"MiniCPMForCausalLM"};
inline constexpr std::string_view kMiniCpmModelTypes[] = {"minicpm"};
inline constexpr ConfigKey kMiniCpmKeys[] = {{"scale_emb", "embedding_scale"}};
inline constexpr Role kMiniCpmOptional[] = {Role::kRopeFactorsLong, Role::kRopeFactorsShort};

inline void add_minicpm_scales(const JsonObject& config, Metadata& metadata) {
  const auto layers = static_cast<double>(metadata.require_uint("minicpm.block_count"));
  const auto hidden = static_cast<double>(metadata.require_uint("minicpm.embedding_length"));
  metadata.set("minicpm.residual_scale",
               static_cast<float>(config.require_float("scale_depth") / std::sqrt(layers)));
  metadata.set("minicpm.logit_scale",
               static_cast<float>(hidden / config.require_float("dim_model_base")));
}

inline constexpr Arch kMiniCpm = {
    .name = "minicpm",
    .hf_classes = kMiniCpmClasses,
    .hf_model_types = kMiniCpmModelTypes,
    .permutes_qk = true,
    .keys = kMiniCpmKeys,
    .add_keys = add_minicpm_scales,
    .optional = kMiniCpmOptional,
    .divides_logits = true,
};

}  // namespace nibble
