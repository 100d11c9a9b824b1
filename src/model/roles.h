// The one word list: what a tensor is for. Loading, conversion, recipes and reports all speak of
// roles; this table holds their GGUF names and the names that Hugging Face checkpoints use.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nibble {

enum class Role : uint8_t {
  kTokenEmbd,
  kOutputNorm,
  kOutput,
  kRopeFreqs,
  kAttnNorm,
  kAttnQ,
  kAttnK,
  kAttnV,
  kAttnOutput,
  kFfnNorm,
  kFfnGate,
  kFfnUp,
  kFfnDown,
  kFfnRouter,
  kFfnGateExperts,
  kFfnUpExperts,
  kFfnDownExperts,
};

struct RoleRow {
  Role role;
  bool per_layer;         // GGUF: blk.N.NAME.weight, Hugging Face: model.layers.N.HF.weight
  std::string_view name;  // in GGUF and in recipes
  std::string_view hf;    // without ".weight"; empty: a checkpoint never holds it
  // GGUF stacks the experts' matrices into one tensor; a checkpoint has one for each, whose number
  // stands in place of the * of `hf`.
  bool is_stacked = false;
};

inline constexpr auto kRoles = std::to_array<RoleRow>({
    {Role::kTokenEmbd, false, "token_embd", "model.embed_tokens"},
    {Role::kOutputNorm, false, "output_norm", "model.norm"},
    {Role::kOutput, false, "output", "lm_head"},
    {Role::kRopeFreqs, false, "rope_freqs", ""},
    {Role::kAttnNorm, true, "attn_norm", "input_layernorm"},
    {Role::kAttnQ, true, "attn_q", "self_attn.q_proj"},
    {Role::kAttnK, true, "attn_k", "self_attn.k_proj"},
    {Role::kAttnV, true, "attn_v", "self_attn.v_proj"},
    {Role::kAttnOutput, true, "attn_output", "self_attn.o_proj"},
    {Role::kFfnNorm, true, "ffn_norm", "post_attention_layernorm"},
    {Role::kFfnGate, true, "ffn_gate", "mlp.gate_proj"},
    {Role::kFfnUp, true, "ffn_up", "mlp.up_proj"},
    {Role::kFfnDown, true, "ffn_down", "mlp.down_proj"},
    {Role::kFfnRouter, true, "ffn_gate_inp", "block_sparse_moe.gate"},
    {Role::kFfnGateExperts, true, "ffn_gate_exps", "block_sparse_moe.experts.*.w1", true},
    {Role::kFfnUpExperts, true, "ffn_up_exps", "block_sparse_moe.experts.*.w3", true},
    {Role::kFfnDownExperts, true, "ffn_down_exps", "block_sparse_moe.experts.*.w2", true},
});
inline constexpr size_t kRoleCount = kRoles.size();

constexpr const RoleRow& role_row(Role role) { return kRoles[static_cast<size_t>(role)]; }

// One tensor of a model: its role and, for roles of layers, which layer.
struct TensorPlace {
  Role role;
  uint64_t layer = 0;
  bool operator==(const TensorPlace&) const = default;
};

// "blk.3.attn_q.weight" is layer 3's "attn_q.weight"; a name of another form is rest as a whole.
// Numbers have no zeros before them.
struct LayerName {
  std::optional<uint64_t> layer;
  std::string_view rest;
};
inline constexpr std::string_view kGgufLayers = "blk.";
LayerName split_layer(std::string_view name, std::string_view prefix = kGgufLayers);

std::string gguf_name(const TensorPlace& place);                         // "blk.3.attn_q.weight"
std::optional<TensorPlace> place_from_gguf_name(std::string_view name);  // nullopt: no such role

// A checkpoint's tensor is one of GGUF's, or the part of it that belongs to an expert.
struct CheckpointPlace {
  TensorPlace place;
  std::optional<uint64_t> expert;
  bool operator==(const CheckpointPlace&) const = default;
};
std::optional<CheckpointPlace> place_from_hf_name(std::string_view name);

}  // namespace nibble
