// Llama (arXiv:2302.13971, 2307.09288, 2407.21783): RMSNorm, grouped-query attention with RoPE,
// SwiGLU; with experts instead of one feed-forward network it is Mixtral (2401.04088).
#pragma once

#include <array>

#include "model/arch.h"

namespace nibble {

inline constexpr std::array<std::string_view, 2> kLlamaClasses = {"LlamaForCausalLM",
                                                                  "MixtralForCausalLM"};
inline constexpr std::array<std::string_view, 2> kLlamaModelTypes = {"llama", "mixtral"};
inline constexpr std::array<std::string_view, 1> kLlamaIgnored = {".rotary_emb.inv_freq"};

inline constexpr Arch kLlama = {
    .name = "llama",
    .hf_classes = kLlamaClasses,
    .hf_model_types = kLlamaModelTypes,
    .permutes_qk = true,
    .ignored_suffixes = kLlamaIgnored,
};

}  // namespace nibble
