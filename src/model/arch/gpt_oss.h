// gpt-oss (arXiv:2508.10925): a mixture of experts with biases and a clamped SwiGLU, most of it in
// MXFP4; heads may attend to nothing, every second layer sees a window.
#pragma once

#include "base/json.h"
#include "base/metadata.h"
#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kGptOssClasses[] = {"GptOssForCausalLM"};
inline constexpr std::string_view kGptOssModelTypes[] = {"gpt_oss"};
inline constexpr CheckpointName kGptOssNames[] = {
    {"self_attn.sinks", Role::kAttnSinks},
    {"post_attention_layernorm", Role::kAttnPostNorm},
    {"mlp.router", Role::kFfnRouter},
    {"mlp.experts.gate_up_proj_blocks", Role::kFfnGateExperts, Take::kEvenRows},
    {"mlp.experts.gate_up_proj_blocks", Role::kFfnUpExperts, Take::kOddRows},
    {"mlp.experts.down_proj_blocks", Role::kFfnDownExperts},
    {"mlp.experts.gate_up_proj", Role::kFfnGateExperts, Take::kTransposedEven},
    {"mlp.experts.gate_up_proj", Role::kFfnUpExperts, Take::kTransposedOdd},
    {"mlp.experts.down_proj", Role::kFfnDownExperts, Take::kTransposed},
    {"mlp.experts.gate_up_proj_bias", Role::kFfnGateExperts, Take::kEvenRows, true},
    {"mlp.experts.gate_up_proj_bias", Role::kFfnUpExperts, Take::kOddRows, true},
    {"mlp.experts.down_proj_bias", Role::kFfnDownExperts, Take::kAll, true},
};
inline constexpr Role kGptOssAdded[] = {Role::kAttnSinks, Role::kAttnPostNorm};
inline constexpr Role kGptOssLeftOut[] = {Role::kFfnNorm};
inline constexpr Role kGptOssBiased[] = {
    Role::kAttnQ,     Role::kAttnK,          Role::kAttnV,        Role::kAttnOutput,
    Role::kFfnRouter, Role::kFfnGateExperts, Role::kFfnUpExperts, Role::kFfnDownExperts};

inline void add_gpt_oss_keys(const JsonObject&, Metadata& metadata) {
  metadata.set("gpt-oss.expert_feed_forward_length",
               static_cast<uint32_t>(metadata.require_uint("gpt-oss.feed_forward_length")));
}

inline constexpr Arch kGptOss = {
    .name = "gpt-oss",
    .hf_classes = kGptOssClasses,
    .hf_model_types = kGptOssModelTypes,
    .names = kGptOssNames,
    .add_keys = add_gpt_oss_keys,
    .config_defaults = R"({"head_dim": 64, "rms_norm_eps": 1e-5})",
    .added = kGptOssAdded,
    .left_out = kGptOssLeftOut,
    .biased = kGptOssBiased,
    .rope_pairs = RopePairs::kHalves,
    .nonlinearity = Nonlinearity::kClampedSwiglu,
    .ffn_norm = Role::kAttnPostNorm,
    .window_period = 2,
    .rounds_yarn = false,
    .gating = Gating::kSoftmaxOfChosen,
};

}  // namespace nibble
