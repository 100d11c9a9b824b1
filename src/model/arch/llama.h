// Llama (arXiv:2302.13971, 2307.09288, 2407.21783): RMSNorm, grouped-query attention with RoPE,
// SwiGLU; with experts instead of one feed-forward network it is Mixtral (2401.04088), with a
// window that attention sees it is Mistral (2310.06825).
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kLlamaClasses[] = {"LlamaForCausalLM", "MistralForCausalLM",
                                                     "MixtralForCausalLM"};
inline constexpr std::string_view kLlamaModelTypes[] = {"llama", "mistral", "mixtral"};
inline constexpr std::string_view kLlamaIgnored[] = {".rotary_emb.inv_freq"};

inline constexpr Arch kLlama = {
    .name = "llama",
    .hf_classes = kLlamaClasses,
    .hf_model_types = kLlamaModelTypes,
    .permutes_qk = true,
    .ignored_suffixes = kLlamaIgnored,
};

}  // namespace nibble
