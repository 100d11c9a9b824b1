#include "model/tensor_shapes.h"

#include <algorithm>

#include "codec/formats.h"

namespace nibble {
namespace {

bool contains(std::span<const Role> roles, Role role) {
  return std::ranges::find(roles, role) != roles.end();
}

// What Llama has, of layers with experts or without.
bool is_common(Role role, bool has_experts) {
  switch (role) {
    case Role::kTokenEmbd:
    case Role::kOutputNorm:
    case Role::kOutput:
    case Role::kRopeFreqs:
    case Role::kAttnNorm:
    case Role::kAttnQkv:
    case Role::kAttnQ:
    case Role::kAttnK:
    case Role::kAttnV:
    case Role::kAttnOutput:
    case Role::kFfnNorm:
      return true;
    case Role::kFfnGate:
    case Role::kFfnUp:
    case Role::kFfnDown:
      return !has_experts;
    case Role::kFfnRouter:
    case Role::kFfnGateExperts:
    case Role::kFfnUpExperts:
    case Role::kFfnDownExperts:
      return has_experts;
    default:
      return false;
  }
}

// Of these a layer has either all three or the first.
bool is_fused_or_part(Role role) {
  return role == Role::kAttnQkv || role == Role::kAttnQ || role == Role::kAttnK ||
         role == Role::kAttnV;
}

// Of latent attention: one of the first two, with kAttnQA its norm, and either the matrix that
// makes keys and values or both that it is divided into.
bool is_of_latent(Role role, const ModelConfig& config) {
  switch (role) {
    case Role::kAttnQ:
      return config.query_latent == 0;
    case Role::kAttnQA:
    case Role::kAttnQANorm:
    case Role::kAttnQB:
      return config.query_latent > 0;
    case Role::kAttnKvA:
    case Role::kAttnKvANorm:
    case Role::kAttnKvB:
    case Role::kAttnKB:
    case Role::kAttnVB:
      return true;
    default:
      return false;
  }
}

bool is_latent_key_or_value(Role role) {
  return role == Role::kAttnKvB || role == Role::kAttnKB || role == Role::kAttnVB;
}

bool is_of_shared_expert(Role role) {
  return role == Role::kFfnSharedGate || role == Role::kFfnGateShared ||
         role == Role::kFfnUpShared || role == Role::kFfnDownShared;
}

bool can_have_bias(Role role) {
  switch (role) {
    case Role::kTokenEmbd:
    case Role::kPositionEmbd:
    case Role::kTokenTypes:
    case Role::kRopeFreqs:
    case Role::kRopeFactorsLong:
    case Role::kRopeFactorsShort:
    case Role::kAttnSinks:
    case Role::kFfnSharedGate:
    case Role::kAttnKvB:
    case Role::kAttnKB:
    case Role::kAttnVB:
      return false;
    default:
      return true;
  }
}

// Of what makes or reads latents, but for the query without one.
MatrixShape latent_shape(Role role, const ModelConfig& c) {
  switch (role) {
    case Role::kAttnQA:
      return {c.query_latent, c.hidden};
    case Role::kAttnQANorm:
      return {1, c.query_latent};
    case Role::kAttnQB:
      return {c.heads * (c.still_key_dim + c.rope_dimensions), c.query_latent};
    case Role::kAttnKvA:
      return {c.latent + c.rope_dimensions, c.hidden};
    case Role::kAttnKvANorm:
      return {1, c.latent};
    case Role::kAttnKvB:
      return {c.heads * (c.still_key_dim + c.value_dim), c.latent};
    case Role::kAttnKB:
      return {c.latent, c.still_key_dim, c.heads};
    default:  // kAttnVB
      return {c.value_dim, c.latent, c.heads};
  }
}

// Of queries or keys.
MatrixShape norm_of_heads(const ModelConfig& c, int64_t heads) {
  switch (c.arch->qk_norm) {
    case QkNorm::kRow:
      return {1, heads * c.head_dim};
    case QkNorm::kOfHead:
      return {heads, c.head_dim};
    default:
      return {1, c.head_dim};
  }
}

TensorInfo tensor_of(const TensorPlace& place, const ModelConfig& config,
                     const TensorListOptions& options) {
  MatrixShape shape = expected_shape(place, config, options.vocab_size);
  if (shape.rows == 0) shape.rows = options.vocab_size;
  const bool is_stacked = role_row(place.role).is_stacked() && !place.is_bias;
  const int rank = is_stacked ? 3 : shape.rows == 1 ? 1 : 2;
  return {gguf_name(place),
          contains(options.made, place.role) ? DType::kF32 : options.type,
          {{static_cast<uint64_t>(shape.columns), static_cast<uint64_t>(shape.rows),
            static_cast<uint64_t>(shape.experts), 1},
           rank}};
}

}  // namespace

MatrixShape expected_shape(const TensorPlace& place, const ModelConfig& c, int64_t vocab_size) {
  if (place.is_scale()) return {1, expected_shape({place.role}, c, vocab_size).experts};
  if (place.is_bias) {
    if (place.role == Role::kFfnRouterBias) return {1, c.experts};
    const MatrixShape matrix = expected_shape({place.role}, c, vocab_size);
    if (role_row(place.role).kind == RoleKind::kVector) return matrix;
    return {matrix.experts, matrix.rows};
  }
  switch (place.role) {
    case Role::kTokenEmbd:
      return {0, c.hidden};
    case Role::kPositionEmbd:
      return {c.context_length, c.hidden};
    case Role::kTokenTypes:
      return {c.token_types, c.hidden};
    case Role::kOutput:
      return {vocab_size, c.hidden};
    case Role::kTokenEmbdNorm:
    case Role::kOutputNorm:
    case Role::kAttnNorm:
    case Role::kAttnNorm2:
    case Role::kAttnPostNorm:
    case Role::kAttnOutputNorm:
    case Role::kFfnNorm:
    case Role::kFfnPostNorm:
    case Role::kLayerOutputNorm:
    case Role::kFfnSharedGate:
      return {1, c.hidden};
    case Role::kRopeFreqs:
    case Role::kRopeFactorsLong:
    case Role::kRopeFactorsShort:
      return {1, c.rope_dimensions / 2};
    case Role::kAttnQkv:
      return {c.q_width() + 2 * c.kv_width(), c.hidden};
    case Role::kAttnQ:
      return {c.latent > 0 ? c.heads * (c.still_key_dim + c.rope_dimensions) : c.q_width(),
              c.hidden};
    case Role::kAttnQA:
    case Role::kAttnQANorm:
    case Role::kAttnQB:
    case Role::kAttnKvA:
    case Role::kAttnKvANorm:
    case Role::kAttnKvB:
    case Role::kAttnKB:
    case Role::kAttnVB:
      return latent_shape(place.role, c);
    case Role::kAttnK:
    case Role::kAttnV:
      return {c.kv_width(), c.hidden};
    case Role::kAttnQNorm:
      return norm_of_heads(c, c.heads);
    case Role::kAttnKNorm:
      return norm_of_heads(c, c.kv_heads);
    case Role::kAttnSinks:
      return {1, c.heads};
    case Role::kAttnOutput:
      return {c.hidden, c.attended_width()};
    case Role::kFfnGate:
      return {c.ffn, c.hidden};
    case Role::kFfnUp:
      return {c.arch->fuses_gate ? 2 * c.ffn : c.ffn, c.hidden};
    case Role::kFfnDown:
      return {c.hidden, c.ffn};
    case Role::kFfnRouter:
      return {c.experts, c.hidden};
    case Role::kFfnRouterBias:
      return {1, c.experts};
    case Role::kFfnGateExperts:
    case Role::kFfnUpExperts:
      return {c.expert_ffn, c.hidden, c.experts};
    case Role::kFfnDownExperts:
      return {c.hidden, c.expert_ffn, c.experts};
    case Role::kFfnGateShared:
    case Role::kFfnUpShared:
      return {c.shared_ffn, c.hidden};
    case Role::kFfnDownShared:
      return {c.hidden, c.shared_ffn};
  }
  return {0, 0};
}

bool is_part_of(const TensorPlace& place, const ModelConfig& config) {
  const auto& [role, layer, is_bias, scale] = place;
  if (place.is_scale()) return is_multiplied({role}) && is_part_of({role, layer}, config);
  if (is_bias && !can_have_bias(role)) return false;
  if (role == Role::kFfnRouterBias && !is_bias) return false;
  const Arch& arch = *config.arch;
  if (contains(arch.left_out, role)) return false;
  if (arch.is_latent && (is_fused_or_part(role) || is_of_latent(role, config)))
    return is_of_latent(role, config);
  const bool has_experts = config.has_experts(static_cast<int64_t>(layer));
  if (is_of_shared_expert(role) && (!has_experts || config.shared_ffn == 0)) return false;
  if (role == Role::kFfnRouterBias && !has_experts) return false;
  return is_common(role, has_experts) || contains(arch.added, role) ||
         contains(arch.optional, role);
}

bool is_optional(const TensorPlace& place, const ModelConfig& config) {
  if (place.is_scale()) return true;
  const Arch& arch = *config.arch;
  if (place.is_bias && place.role != Role::kFfnRouterBias)
    return !contains(arch.biased, place.role) || contains(arch.optional, place.role);
  if (arch.is_latent) {
    if (is_latent_key_or_value(place.role)) return true;
    if (is_fused_or_part(place.role)) return false;
  }
  return place.role == Role::kRopeFreqs || place.role == Role::kOutput ||
         is_fused_or_part(place.role) || contains(arch.optional, place.role);
}

bool is_tied(std::span<const TensorInfo> tensors) {
  const std::string output = gguf_name({Role::kOutput});
  return std::ranges::none_of(tensors, [&](const TensorInfo& t) { return t.name == output; });
}

std::vector<TensorInfo> tensors_of(const ModelConfig& config, const TensorListOptions& options) {
  std::vector<TensorInfo> tensors;
  const auto is_there = [&](const TensorPlace& place) {
    if (!is_part_of(place, config)) return false;
    if (place.role == Role::kOutput && !place.is_bias) return options.has_output;
    if (is_latent_key_or_value(place.role)) return place.role != Role::kAttnKvB;
    if (is_fused_or_part(place.role) && !config.arch->is_latent) {
      const bool is_fused = contains(config.arch->added, Role::kAttnQkv);
      if (is_fused != (place.role == Role::kAttnQkv)) return false;
      if (!place.is_bias) return true;
    }
    return contains(options.made, place.role) || !is_optional(place, config);
  };
  const auto add = [&](Role role, int64_t layer) {
    for (const bool is_bias : {false, true}) {
      const TensorPlace place{role, static_cast<uint64_t>(layer), is_bias};
      if (is_there(place)) tensors.push_back(tensor_of(place, config, options));
    }
  };
  for (const RoleRow& row : kRoles) {
    if (!row.per_layer) add(row.role, 0);
  }
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    for (const RoleRow& row : kRoles) {
      if (row.per_layer) add(row.role, layer);
    }
  }
  return tensors;
}

}  // namespace nibble
