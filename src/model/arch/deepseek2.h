// DeepSeek V2 (arXiv:2405.04434), V3 (arXiv:2412.19437) and R1: multi-head latent attention, and
// experts as in DeepSeek MoE, in groups among which tokens choose first; those of V3 are scored
// each by itself, with a bias for the choice.
#pragma once

#include <cmath>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/metadata.h"
#include "model/arch.h"
#include "model/arch/deepseek.h"

namespace nibble {

inline constexpr std::string_view kDeepSeek2Classes[] = {"DeepseekV2ForCausalLM",
                                                         "DeepseekV3ForCausalLM"};
inline constexpr std::string_view kDeepSeek2ModelTypes[] = {"deepseek_v2", "deepseek_v3"};
inline constexpr CheckpointName kDeepSeek2Names[] = {
    {"self_attn.q_a_proj", Role::kAttnQA},
    {"self_attn.q_a_layernorm", Role::kAttnQANorm},
    {"self_attn.q_b_proj", Role::kAttnQB},
    {"self_attn.kv_a_proj_with_mqa", Role::kAttnKvA},
    {"self_attn.kv_a_layernorm", Role::kAttnKvANorm},
    {"self_attn.kv_b_proj", Role::kAttnKB, Take::kHeadKeys},
    {"self_attn.kv_b_proj", Role::kAttnVB, Take::kHeadValues},
};
inline constexpr Role kDeepSeek2Added[] = {Role::kFfnGateShared, Role::kFfnUpShared,
                                           Role::kFfnDownShared};
inline constexpr Role kDeepSeek2Optional[] = {Role::kFfnRouterBias};
inline constexpr std::string_view kDeepSeek2Ignored[] = {".rotary_emb.inv_freq"};

// Sizes of heads: of what the cache keeps, and ("_mla") of what each head makes of it.
inline void add_deepseek2_heads(const JsonObject& config, Metadata& metadata) {
  const auto set = [&](const char* key, uint64_t value) {
    metadata.set(std::string("deepseek2.") + key, static_cast<uint32_t>(value));
  };
  const uint64_t latent = config.require_uint("kv_lora_rank");
  const uint64_t turned = config.require_uint("qk_rope_head_dim");
  set("attention.head_count_kv", 1);
  set("attention.kv_lora_rank", latent);
  if (const auto rank = config.find_uint("q_lora_rank")) set("attention.q_lora_rank", *rank);
  set("attention.key_length", latent + turned);
  set("attention.value_length", latent);
  set("attention.key_length_mla", config.require_uint("qk_nope_head_dim") + turned);
  set("attention.value_length_mla", config.require_uint("v_head_dim"));
  set("rope.dimension_count", turned);
  if (!config.find_bool("rope_interleave").value_or(true)) {
    fail(ErrorCode::kUnsupported, "{}: \"rope_interleave\": only true is supported",
         config.file_name());
  }
}

// V2 may choose experts without groups, V3 scores them by sigmoid: it has "noaux_tc", or says so
// only by its name.
inline void add_deepseek2_routing(const JsonObject& config, Metadata& metadata) {
  const bool is_v3 = config.find_string("model_type").value_or("") != "deepseek_v2";
  const auto method = config.find_string("topk_method").value_or(is_v3 ? "noaux_tc" : "greedy");
  const auto scoring = config.find_string("scoring_func").value_or(is_v3 ? "sigmoid" : "softmax");
  if (scoring != "sigmoid" && scoring != "softmax") {
    fail(ErrorCode::kUnsupported, "{}: \"scoring_func\": \"{}\" is not supported",
         config.file_name(), scoring);
  }
  metadata.set("deepseek2.expert_gating_func", uint32_t{scoring == "sigmoid" ? 2u : 1u});
  const auto groups = config.find_uint("n_group"), used = config.find_uint("topk_group");
  if (method == "greedy" || !groups || !used || *groups <= 1) return;
  metadata.set("deepseek2.expert_group_count", static_cast<uint32_t>(*groups));
  metadata.set("deepseek2.expert_group_used_count", static_cast<uint32_t>(*used));
}

// YaRN: scores grow by the square of 1 + 0.1 mscale_all_dim ln(factor), what turns by the same of
// mscale divided by that.
inline void add_deepseek2_yarn(const JsonObject& config, Metadata& metadata) {
  const std::string prefix = "deepseek2.rope.scaling.";
  const auto factor = metadata.find_float(prefix + "factor");
  const Json* scaling = config.find("rope_scaling");
  if (scaling == nullptr) scaling = config.find("rope_parameters");
  if (!factor || scaling == nullptr) return;
  const JsonObject fields(*scaling, config.file_name() + ": \"rope_scaling\"");
  const double all = fields.find_float("mscale_all_dim").value_or(0);
  const double turned = fields.find_float("mscale").value_or(0);
  if (all == 0) return;
  metadata.set(prefix + "yarn_log_multiplier", static_cast<float>(0.1 * all));
  const double log = std::log(*factor);
  const double magnitude =
      turned == 0 ? 1 + 0.1 * log : (1 + 0.1 * turned * log) / (1 + 0.1 * all * log);
  if (magnitude != 1) metadata.set(prefix + "attn_factor", static_cast<float>(magnitude));
}

inline void add_deepseek2_keys(const JsonObject& config, Metadata& metadata) {
  check_deepseek_layers(config, metadata);
  add_deepseek2_heads(config, metadata);
  add_deepseek2_routing(config, metadata);
  add_deepseek2_yarn(config, metadata);
}

inline constexpr Arch kDeepSeek2 = {
    .name = "deepseek2",
    .hf_classes = kDeepSeek2Classes,
    .hf_model_types = kDeepSeek2ModelTypes,
    .ignored_suffixes = kDeepSeek2Ignored,
    .names = kDeepSeek2Names,
    .has_later_layers = true,
    .keys = kDeepSeekKeys,
    .add_keys = add_deepseek2_keys,
    .added = kDeepSeek2Added,
    .optional = kDeepSeek2Optional,
    .is_latent = true,
    .epsilon = 1e-6f,
    .normalizes_experts = false,
};

}  // namespace nibble
