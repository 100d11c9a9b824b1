// Gemma 1 (arXiv:2403.08295): a scaled embedding that is the output, too, GELU, norms whose weights
// are around 0 in checkpoints.
#pragma once

#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kGemmaClasses[] = {"GemmaForCausalLM"};
inline constexpr std::string_view kGemmaModelTypes[] = {"gemma"};
// Its first files say "gelu" and mean the other.
inline constexpr std::string_view kGemmaActivations[] = {"gelu_pytorch_tanh", "gelu"};

inline constexpr Arch kGemma = {
    .name = "gemma",
    .hf_classes = kGemmaClasses,
    .hf_model_types = kGemmaModelTypes,
    .norms_lack_one = true,
    .config_defaults = R"({"tie_word_embeddings": true, "head_dim": 256, "rms_norm_eps": 1e-6})",
    .hf_activations = kGemmaActivations,
    .rope_pairs = RopePairs::kHalves,
    .nonlinearity = Nonlinearity::kGeluTanh,
    .scales_embedding = true,
};

}  // namespace nibble
