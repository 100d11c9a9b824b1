#include "model/tensor_shapes.h"

#include <algorithm>

#include "codec/formats.h"

namespace nibble {
namespace {

TensorInfo tensor_of(const TensorPlace& place, const ModelConfig& config,
                     const TensorListOptions& options) {
  const bool is_stacked = role_row(place.role).is_stacked;
  MatrixShape shape = expected_shape(place.role, config, options.vocab_size);
  if (shape.rows == 0) shape.rows = options.vocab_size;
  const int rank = is_stacked ? 3 : shape.rows == 1 ? 1 : 2;
  return {gguf_name(place),
          place.role == Role::kRopeFreqs ? DType::kF32 : options.type,
          {{static_cast<uint64_t>(shape.columns), static_cast<uint64_t>(shape.rows),
            static_cast<uint64_t>(shape.experts), 1},
           rank}};
}

}  // namespace

MatrixShape expected_shape(Role role, const ModelConfig& c, int64_t vocab_size) {
  switch (role) {
    case Role::kTokenEmbd:
      return {0, c.hidden};
    case Role::kOutput:
      return {vocab_size, c.hidden};
    case Role::kOutputNorm:
    case Role::kAttnNorm:
    case Role::kFfnNorm:
      return {1, c.hidden};
    case Role::kRopeFreqs:
      return {1, c.rope_dimensions / 2};
    case Role::kAttnQ:
      return {c.q_width(), c.hidden};
    case Role::kAttnK:
    case Role::kAttnV:
      return {c.kv_width(), c.hidden};
    case Role::kAttnOutput:
      return {c.hidden, c.q_width()};
    case Role::kFfnGate:
    case Role::kFfnUp:
      return {c.ffn, c.hidden};
    case Role::kFfnDown:
      return {c.hidden, c.ffn};
    case Role::kFfnRouter:
      return {c.experts, c.hidden};
    case Role::kFfnGateExperts:
    case Role::kFfnUpExperts:
      return {c.ffn, c.hidden, c.experts};
    case Role::kFfnDownExperts:
      return {c.hidden, c.ffn, c.experts};
  }
  return {0, 0};
}

bool is_optional(Role role) { return role == Role::kRopeFreqs || role == Role::kOutput; }

bool is_tied(std::span<const TensorInfo> tensors) {
  const std::string output = gguf_name({Role::kOutput});
  return std::ranges::none_of(tensors, [&](const TensorInfo& t) { return t.name == output; });
}

bool is_part_of(Role role, const ModelConfig& config) {
  switch (role) {
    case Role::kFfnGate:
    case Role::kFfnUp:
    case Role::kFfnDown:
      return config.experts == 0;
    case Role::kFfnRouter:
    case Role::kFfnGateExperts:
    case Role::kFfnUpExperts:
    case Role::kFfnDownExperts:
      return config.experts > 0;
    default:
      return true;
  }
}

bool is_kept_f32(Role role) {
  return expected_shape(role, ModelConfig{}, 0).rows == 1 || role == Role::kFfnRouter;
}

bool is_multiplied(Role role) { return !is_kept_f32(role) && role != Role::kTokenEmbd; }

std::vector<TensorInfo> tensors_of(const ModelConfig& config, const TensorListOptions& options) {
  std::vector<TensorInfo> tensors;
  const auto add = [&](const RoleRow& row, int64_t layer) {
    const bool is_there = row.role == Role::kOutput      ? options.has_output
                          : row.role == Role::kRopeFreqs ? options.has_rope_factors
                                                         : is_part_of(row.role, config);
    if (is_there)
      tensors.push_back(tensor_of({row.role, static_cast<uint64_t>(layer)}, config, options));
  };
  for (const RoleRow& row : kRoles) {
    if (!row.per_layer) add(row, 0);
  }
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    for (const RoleRow& row : kRoles) {
      if (row.per_layer) add(row, layer);
    }
  }
  return tensors;
}

}  // namespace nibble
