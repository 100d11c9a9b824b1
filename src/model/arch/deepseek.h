// DeepSeek MoE (arXiv:2401.06066): Llama with experts whose weights are not scaled to 1, and some
// more that all tokens use; the first layers have none.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "base/metadata.h"
#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kDeepSeekClasses[] = {"DeepseekForCausalLM"};
inline constexpr std::string_view kDeepSeekModelTypes[] = {"deepseek"};
inline constexpr ConfigKey kDeepSeekKeys[] = {
    {"first_k_dense_replace", "leading_dense_block_count", ConfigKey::Kind::kUint},
    {"moe_intermediate_size", "expert_feed_forward_length", ConfigKey::Kind::kUint},
    {"n_shared_experts", "expert_shared_count", ConfigKey::Kind::kUint},
    {"norm_topk_prob", "expert_weights_norm", ConfigKey::Kind::kBool},
    {"routed_scaling_factor", "expert_weights_scale"},
};
inline constexpr Role kDeepSeekAdded[] = {Role::kFfnGateShared, Role::kFfnUpShared,
                                          Role::kFfnDownShared};

// GGUF has no key for layers with experts here and there.
inline void check_deepseek_layers(const JsonObject& config, Metadata&) {
  const uint64_t step = config.find_uint("moe_layer_freq").value_or(1);
  if (step == 1) return;
  fail(ErrorCode::kUnsupported, "{}: \"moe_layer_freq\": found {}, only 1 is supported",
       config.file_name(), step);
}

inline constexpr Arch kDeepSeek = {
    .name = "deepseek",
    .hf_classes = kDeepSeekClasses,
    .hf_model_types = kDeepSeekModelTypes,
    .permutes_qk = true,
    .keys = kDeepSeekKeys,
    .add_keys = check_deepseek_layers,
    .config_defaults = R"({"norm_topk_prob": false})",
    .added = kDeepSeekAdded,
    .normalizes_experts = false,
};

}  // namespace nibble
