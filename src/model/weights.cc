#include "model/weights.h"

#include <cstring>
#include <string>

#include "base/error.h"
#include "codec/codec.h"

namespace nibble {
namespace {

struct MatrixShape {
  int64_t rows;  // 0: any
  int64_t columns;
};

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
  }
  return {0, 0};
}

bool is_optional(Role role) { return role == Role::kRopeFreqs; }
bool is_vector(Role role) { return expected_shape(role, ModelConfig{}, 0).rows == 1; }

}  // namespace

Weights::Weights(const TensorSource& source, const ModelConfig& config)
    : views_(static_cast<size_t>(config.layers) * kRoleCount) {
  const auto& tensors = source.tensors();
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto place = place_from_gguf_name(tensors[i].name);
    if (!place || static_cast<int64_t>(place->layer) >= config.layers) {
      fail(ErrorCode::kInvalidFile,
           "tensor {} has no place in a model of {} layers of the architecture {}", tensors[i].name,
           config.layers, config.arch->name);
    }
    load(source, i, *place);
  }
  TensorView& output = views_[static_cast<size_t>(Role::kOutput)];
  if (!output) output = of(Role::kTokenEmbd);  // tied
  check(source, config);
}

void Weights::load(const TensorSource& source, size_t tensor, const TensorPlace& place) {
  const TensorInfo& info = source.tensors()[tensor];
  TensorView& view = views_[place.layer * kRoleCount + static_cast<size_t>(place.role)];
  view.type = info.type;
  view.rows = static_cast<int64_t>(info.shape.rows());
  view.columns = static_cast<int64_t>(info.shape.columns());
  bytes_ += info.bytes();
  if (is_vector(place.role)) return load_as_f32(source, tensor, view);
  const auto bytes = source.view(tensor);
  view.data = bytes.data();
  if (bytes.empty()) {
    owned_.push_back(std::make_unique_for_overwrite<std::byte[]>(info.bytes()));
    source.read_rows(tensor, 0, info.shape.rows(), {owned_.back().get(), info.bytes()});
    view.data = owned_.back().get();
  }
}

void Weights::load_as_f32(const TensorSource& source, size_t tensor, TensorView& view) {
  const TensorInfo& info = source.tensors()[tensor];
  std::vector<std::byte> stored(info.bytes());
  source.read_rows(tensor, 0, info.shape.rows(), stored);
  owned_.push_back(std::make_unique_for_overwrite<std::byte[]>(info.shape.count() * sizeof(float)));
  auto* floats = reinterpret_cast<float*>(owned_.back().get());
  const uint64_t columns = info.shape.columns();
  for (uint64_t row = 0; row < info.shape.rows(); ++row) {
    codec(info.type).decode(stored.data() + row * info.row_bytes(), static_cast<int64_t>(columns),
                            floats + row * columns);
  }
  view.type = DType::kF32;
  view.data = owned_.back().get();
}

void Weights::check(const TensorSource& source, const ModelConfig& config) const {
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    for (const RoleRow& row : kRoles) {
      if (!row.per_layer && layer > 0) continue;
      const std::string name = gguf_name({row.role, static_cast<uint64_t>(layer)});
      const TensorView& view = of(row.role, layer);
      if (!view) {
        if (is_optional(row.role)) continue;
        fail(ErrorCode::kInvalidFile, "tensor {} is missing ({} tensors found)", name,
             source.tensors().size());
      }
      const MatrixShape expected = expected_shape(row.role, config, vocab_size());
      if ((expected.rows != 0 && view.rows != expected.rows) || view.columns != expected.columns) {
        fail(ErrorCode::kInvalidFile,
             "tensor {}: found {} columns x {} rows, expected {} x {} by the model's config", name,
             view.columns, view.rows, expected.columns, expected.rows);
      }
    }
  }
}

}  // namespace nibble
