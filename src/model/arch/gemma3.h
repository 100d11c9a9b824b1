// Gemma 3 (arXiv:2503.19786): Gemma 2 with norms of queries and keys instead of softcaps; five of
// six layers see a window and turn by a base of their own. Of the models that see images the text
// model.
#pragma once

#include "model/arch.h"
#include "model/arch/gemma2.h"

namespace nibble {

inline constexpr std::string_view kGemma3Classes[] = {"Gemma3ForCausalLM",
                                                      "Gemma3ForConditionalGeneration"};
inline constexpr std::string_view kGemma3ModelTypes[] = {"gemma3_text", "gemma3"};
inline constexpr std::string_view kGemma3Ignored[] = {"vision_tower.", "multi_modal_projector.",
                                                      "model.vision_tower.",
                                                      "model.multi_modal_projector."};
inline constexpr Role kGemma3Added[] = {Role::kAttnQNorm, Role::kAttnKNorm, Role::kAttnPostNorm,
                                        Role::kFfnPostNorm};

inline constexpr Arch kGemma3 = {
    .name = "gemma3",
    .hf_classes = kGemma3Classes,
    .hf_model_types = kGemma3ModelTypes,
    .ignored_prefixes = kGemma3Ignored,
    .names = kGemma2Names,
    .norms_lack_one = true,
    .keys = kGemma2Keys,
    .add_keys = add_gemma_scale,
    .config_defaults = R"({"tie_word_embeddings": true, "num_attention_heads": 8,
                           "num_key_value_heads": 4, "head_dim": 256, "rms_norm_eps": 1e-6,
                           "query_pre_attn_scalar": 256, "sliding_window": 4096,
                           "max_position_embeddings": 131072, "vocab_size": 262208,
                           "rope_theta": 1000000.0})",
    .hf_activations = kGemmaActivations,
    .added = kGemma3Added,
    .rope_pairs = RopePairs::kHalves,
    .nonlinearity = Nonlinearity::kGeluTanh,
    .scales_embedding = true,
    .window_period = 6,
    .local_rope_base = 10000,
    .adjust = [](ModelConfig& c) { scale_by_hidden(c, 62); },  // 27B
};

}  // namespace nibble
