// The one word list: what a tensor is for. Loading, conversion, recipes and reports all speak of
// roles; this table holds their GGUF names.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nibble {

enum class Role : uint8_t {
  kTokenEmbd,
  kPositionEmbd,
  kTokenEmbdNorm,
  kTokenTypes,
  kOutputNorm,
  kOutput,
  kRopeFreqs,
  kRopeFactorsLong,
  kRopeFactorsShort,
  kAttnNorm,
  kAttnNorm2,
  kAttnQkv,
  kAttnQ,
  kAttnK,
  kAttnV,
  kAttnQA,
  kAttnQANorm,
  kAttnQB,
  kAttnKvA,
  kAttnKvANorm,
  kAttnKvB,
  kAttnKB,
  kAttnVB,
  kAttnQNorm,
  kAttnKNorm,
  kAttnSinks,
  kAttnOutput,
  kAttnPostNorm,
  kAttnOutputNorm,
  kFfnNorm,
  kFfnGate,
  kFfnUp,
  kFfnDown,
  kFfnRouter,
  kFfnRouterBias,
  kFfnGateExperts,
  kFfnUpExperts,
  kFfnDownExperts,
  kFfnSharedGate,
  kFfnGateShared,
  kFfnUpShared,
  kFfnDownShared,
  kFfnPostNorm,
  kLayerOutputNorm,
};

enum class RoleKind : uint8_t {
  kMatrix,   // multiplies activations
  kStacked,  // the experts' matrices, one after another
  kHeads,    // likewise those of heads
  kTable,    // its rows are looked up
  kVector,   // norms, factors: small, kept as f32
  kRouter,   // a matrix, but small enough for f32: choices hang on it
};

struct RoleRow {
  Role role;
  bool per_layer;         // blk.N.NAME.weight
  std::string_view name;  // in GGUF and in recipes
  RoleKind kind = RoleKind::kMatrix;
  bool is_stacked() const { return kind == RoleKind::kStacked || kind == RoleKind::kHeads; }
};

inline constexpr auto kRoles = std::to_array<RoleRow>({
    {Role::kTokenEmbd, false, "token_embd", RoleKind::kTable},
    {Role::kPositionEmbd, false, "position_embd", RoleKind::kVector},
    {Role::kTokenEmbdNorm, false, "token_embd_norm", RoleKind::kVector},
    {Role::kTokenTypes, false, "token_types", RoleKind::kVector},
    {Role::kOutputNorm, false, "output_norm", RoleKind::kVector},
    {Role::kOutput, false, "output"},
    {Role::kRopeFreqs, false, "rope_freqs", RoleKind::kVector},
    {Role::kRopeFactorsLong, false, "rope_factors_long", RoleKind::kVector},
    {Role::kRopeFactorsShort, false, "rope_factors_short", RoleKind::kVector},
    {Role::kAttnNorm, true, "attn_norm", RoleKind::kVector},
    {Role::kAttnNorm2, true, "attn_norm_2", RoleKind::kVector},
    {Role::kAttnQkv, true, "attn_qkv"},
    {Role::kAttnQ, true, "attn_q"},
    {Role::kAttnK, true, "attn_k"},
    {Role::kAttnV, true, "attn_v"},
    {Role::kAttnQA, true, "attn_q_a"},
    {Role::kAttnQANorm, true, "attn_q_a_norm", RoleKind::kVector},
    {Role::kAttnQB, true, "attn_q_b"},
    {Role::kAttnKvA, true, "attn_kv_a_mqa"},
    {Role::kAttnKvANorm, true, "attn_kv_a_norm", RoleKind::kVector},
    {Role::kAttnKvB, true, "attn_kv_b"},
    {Role::kAttnKB, true, "attn_k_b", RoleKind::kHeads},
    {Role::kAttnVB, true, "attn_v_b", RoleKind::kHeads},
    {Role::kAttnQNorm, true, "attn_q_norm", RoleKind::kVector},
    {Role::kAttnKNorm, true, "attn_k_norm", RoleKind::kVector},
    {Role::kAttnSinks, true, "attn_sinks", RoleKind::kVector},
    {Role::kAttnOutput, true, "attn_output"},
    {Role::kAttnPostNorm, true, "post_attention_norm", RoleKind::kVector},
    {Role::kAttnOutputNorm, true, "attn_output_norm", RoleKind::kVector},
    {Role::kFfnNorm, true, "ffn_norm", RoleKind::kVector},
    {Role::kFfnGate, true, "ffn_gate"},
    {Role::kFfnUp, true, "ffn_up"},
    {Role::kFfnDown, true, "ffn_down"},
    {Role::kFfnRouter, true, "ffn_gate_inp", RoleKind::kRouter},
    {Role::kFfnRouterBias, true, "exp_probs_b", RoleKind::kVector},
    {Role::kFfnGateExperts, true, "ffn_gate_exps", RoleKind::kStacked},
    {Role::kFfnUpExperts, true, "ffn_up_exps", RoleKind::kStacked},
    {Role::kFfnDownExperts, true, "ffn_down_exps", RoleKind::kStacked},
    {Role::kFfnSharedGate, true, "ffn_gate_inp_shexp", RoleKind::kVector},
    {Role::kFfnGateShared, true, "ffn_gate_shexp"},
    {Role::kFfnUpShared, true, "ffn_up_shexp"},
    {Role::kFfnDownShared, true, "ffn_down_shexp"},
    {Role::kFfnPostNorm, true, "post_ffw_norm", RoleKind::kVector},
    {Role::kLayerOutputNorm, true, "layer_output_norm", RoleKind::kVector},
});
inline constexpr size_t kRoleCount = kRoles.size();

constexpr const RoleRow& role_row(Role role) { return kRoles[static_cast<size_t>(role)]; }

// What stands beside a matrix whose blocks have no scale of the whole, as of NVFP4: f32, one number
// or one for each expert.
enum class MatrixScale : uint8_t {
  kNone,
  kProduct,  // what comes out of the matrix is multiplied by it, before a bias is added
  kInput,    // of activations of 4 bits, which are not used here
};

// One tensor of a model: its role and, for roles of layers, which layer; or what is added to what
// comes out of it, or multiplied.
struct TensorPlace {
  Role role;
  uint64_t layer = 0;
  bool is_bias = false;
  MatrixScale scale = MatrixScale::kNone;

  constexpr bool is_scale() const { return scale != MatrixScale::kNone; }
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

// "blk.3.attn_q.weight"; .bias, .scale and .input_scale.
std::string gguf_name(const TensorPlace& place);
std::optional<TensorPlace> place_from_gguf_name(std::string_view name);  // nullopt: no such role

// Small enough for exact arithmetic: vectors, biases, and the routers that choices hang on.
constexpr bool is_kept_f32(const TensorPlace& place) {
  const RoleKind kind = role_row(place.role).kind;
  return place.is_bias || place.is_scale() || kind == RoleKind::kVector ||
         kind == RoleKind::kRouter;
}
// By batches of activations; embeddings are looked up.
constexpr bool is_multiplied(const TensorPlace& place) {
  const RoleKind kind = role_row(place.role).kind;
  return !place.is_bias && !place.is_scale() &&
         (kind == RoleKind::kMatrix || role_row(place.role).is_stacked());
}
// Those that are multiplied as they are; the one that makes keys and values is divided first.
constexpr bool is_interleaved(Role role) { return is_multiplied({role}) && role != Role::kAttnKvB; }

}  // namespace nibble
