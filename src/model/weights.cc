#include "model/weights.h"

#include <fmt/format.h>

#include <cstring>
#include <string>
#include <utility>

#include "base/error.h"
#include "codec/codec.h"
#include "kernel/interleaving.h"
#include "model/tensor_shapes.h"

namespace nibble {
namespace {

size_t index_of(const TensorPlace& place) {
  return place.layer * kRoleCount + static_cast<size_t>(place.role);
}

// The same for a list that has biases behind the others, then scales of either kind.
size_t index_with_all(const TensorPlace& place, const ModelConfig& config) {
  const size_t places = static_cast<size_t>(config.layers) * kRoleCount;
  const size_t kind = place.is_bias      ? 1
                      : place.is_scale() ? 1 + static_cast<size_t>(place.scale)
                                         : 0;
  return index_of(place) + kind * places;
}

// The tensors by index_with_all() of their place; nullptr where there is none.
std::vector<const TensorInfo*> by_place(const TensorSource& source, const ModelConfig& config,
                                        const std::string& origin) {
  std::vector<const TensorInfo*> found(4 * static_cast<size_t>(config.layers) * kRoleCount);
  for (const TensorInfo& tensor : source.tensors()) {
    const auto place = place_from_gguf_name(tensor.name);
    if (!place || static_cast<int64_t>(place->layer) >= config.layers ||
        !is_part_of(*place, config)) {
      const std::string experts =
          config.experts == 0 ? "" : fmt::format(" and {} experts", config.experts);
      fail(ErrorCode::kInvalidFile,
           "{}: tensor {} has no place in a model of {} layers{} of the architecture {}", origin,
           tensor.name, config.layers, experts, config.arch->name);
    }
    found[index_with_all(*place, config)] = &tensor;
  }
  return found;
}

void check_stacked_shape(const TensorInfo& tensor, const MatrixShape& expected,
                         const std::string& origin) {
  const Shape shape = {
      {static_cast<uint64_t>(expected.columns), static_cast<uint64_t>(expected.rows),
       static_cast<uint64_t>(expected.experts), 1},
      3};
  if (tensor.shape.dims == shape.dims) return;
  fail(ErrorCode::kInvalidFile,
       "{}: tensor {}: found {}, expected {} (columns x rows x experts) by the model's config",
       origin, tensor.name, to_string(tensor.shape), to_string(shape));
}

[[noreturn]] void fail_alone(const TensorInfo& scale, const TensorPlace& place,
                             const std::string& origin) {
  fail(ErrorCode::kInvalidFile, "{}: tensor {} is there without {}, which it belongs to", origin,
       scale.name, gguf_name({place.role, place.layer}));
}

void check_shape(const TensorInfo& tensor, const MatrixShape& expected, bool is_stacked,
                 const std::string& origin) {
  const auto rows = static_cast<int64_t>(tensor.shape.rows());
  const auto columns = static_cast<int64_t>(tensor.shape.columns());
  if (is_stacked) return check_stacked_shape(tensor, expected, origin);
  if ((expected.rows == 0 || rows == expected.rows) && columns == expected.columns) return;
  fail(ErrorCode::kInvalidFile,
       "{}: tensor {}: found {} columns x {} rows, expected {} x {} by the model's config", origin,
       tensor.name, columns, rows, expected.columns,
       expected.rows == 0 ? "any" : std::to_string(expected.rows));
}

}  // namespace

void check_tensors(const TensorSource& source, const ModelConfig& config,
                   const std::string& origin) {
  const auto found = by_place(source, config, origin);
  const TensorInfo* embedding = found[index_of({Role::kTokenEmbd})];
  const auto vocab_size = embedding == nullptr ? 0 : static_cast<int64_t>(embedding->shape.rows());
  const auto check = [&](const TensorPlace& place) {
    const TensorInfo* tensor = found[index_with_all(place, config)];
    if (tensor != nullptr) {
      if (place.is_scale() && found[index_of(place)] == nullptr) fail_alone(*tensor, place, origin);
      const bool is_stacked =
          role_row(place.role).is_stacked() && !place.is_bias && !place.is_scale();
      check_shape(*tensor, expected_shape(place, config, vocab_size), is_stacked, origin);
    } else if (is_part_of(place, config) && !is_optional(place, config)) {
      fail(ErrorCode::kInvalidFile, "{}: tensor {} is missing ({} tensors found)", origin,
           gguf_name(place), source.tensors().size());
    }
  };
  const auto check_latent = [&](uint64_t layer) {
    const bool is_whole = found[index_of({Role::kAttnKvB, layer})] != nullptr;
    for (const Role role : {Role::kAttnKB, Role::kAttnVB}) {
      if (is_whole == (found[index_of({role, layer})] == nullptr)) continue;
      fail(ErrorCode::kInvalidFile, "{}: tensor {} is {} ({} tensors found)", origin,
           gguf_name({role, layer}),
           is_whole ? "there beside " + gguf_name({Role::kAttnKvB, layer}) : "missing",
           source.tensors().size());
    }
  };
  for (uint64_t layer = 0; layer < static_cast<uint64_t>(config.layers); ++layer) {
    for (const RoleRow& row : kRoles) {
      if (!row.per_layer && layer > 0) continue;
      check({row.role, layer, false});
      check({row.role, layer, true});
      check({row.role, layer, false, MatrixScale::kProduct});
    }
    if (config.arch->is_latent) {
      check_latent(layer);
      continue;
    }
    for (const Role role : {Role::kAttnQ, Role::kAttnK, Role::kAttnV}) {
      const bool is_fused = found[index_of({Role::kAttnQkv, layer})] != nullptr;
      if (is_fused == (found[index_of({role, layer})] == nullptr)) continue;
      fail(ErrorCode::kInvalidFile, "{}: tensor {} is {} ({} tensors found)", origin,
           gguf_name({role, layer}),
           is_fused ? "there beside " + gguf_name({Role::kAttnQkv, layer}) : "missing",
           source.tensors().size());
    }
  }
}

Weights::Weights(const TensorSource& source, const ModelConfig& config, Activations activations)
    : views_(static_cast<size_t>(config.layers) * kRoleCount, std::vector<TensorView>(1)),
      biases_(views_.size()),
      activations_(activations) {
  std::vector<std::pair<size_t, TensorPlace>> scales;
  for (size_t i = 0; i < source.tensors().size(); ++i) {
    const auto place = *place_from_gguf_name(source.tensors()[i].name);
    if (!place.is_scale()) load(source, i, place);
    if (place.scale == MatrixScale::kProduct) scales.emplace_back(i, place);
  }
  for (const auto& [tensor, place] : scales) load_scales(source, tensor, place);
  if (config.arch->is_latent) {
    for (int64_t layer = 0; layer < config.layers; ++layer) divide_keys_and_values(config, layer);
  }
  TensorView& output = views_[index_of({Role::kOutput})].front();
  if (!output) output = of(Role::kTokenEmbd);  // tied
}

// Of older files: rows of each head's key, then of its value. Values are multiplied with where they
// lie; keys are wanted with rows and columns changed, so they are decoded.
void Weights::divide_keys_and_values(const ModelConfig& config, int64_t layer) {
  const TensorView& whole = of(Role::kAttnKvB, layer);
  if (!whole) return;
  const auto place = [&](Role role) { return index_of({role, static_cast<uint64_t>(layer)}); };
  const int64_t keys = config.still_key_dim, values = config.value_dim, columns = whole.columns;
  auto& key_views = views_[place(Role::kAttnKB)];
  auto& value_views = views_[place(Role::kAttnVB)];
  key_views.assign(static_cast<size_t>(config.heads),
                   {.rows = columns, .columns = keys, .scale = whole.scale});
  value_views.assign(
      key_views.size(),
      {.type = whole.type, .rows = values, .columns = columns, .scale = whole.scale});
  std::vector<float> row(static_cast<size_t>(columns));
  for (int64_t h = 0; h < config.heads; ++h) {
    const int64_t first = h * (keys + values);
    owned_.push_back(std::make_unique_for_overwrite<std::byte[]>(
        static_cast<size_t>(keys * columns) * sizeof(float)));
    auto* transposed = reinterpret_cast<float*>(owned_.back().get());
    for (int64_t k = 0; k < keys; ++k) {
      codec(whole.type).decode(whole.row(first + k), columns, row.data());
      for (int64_t i = 0; i < columns; ++i) transposed[i * keys + k] = row[static_cast<size_t>(i)];
    }
    TensorView& key = key_views[static_cast<size_t>(h)];
    key.type = DType::kF32;
    key.data = owned_.back().get();
    value_views[static_cast<size_t>(h)].data = whole.row(first + keys);
  }
}

std::vector<TensorView> Weights::exchange(const TensorPlace& place, std::vector<TensorView> views) {
  const bool is_tied = of(Role::kOutput).data == of(Role::kTokenEmbd).data;
  auto& replaced = views_[index_of(place)];
  for (size_t i = 0; i < views.size(); ++i) views[i].scale = replaced[i].scale;
  if (place.role == Role::kTokenEmbd && is_tied) {
    auto& output = views_[index_of({Role::kOutput})];  // which may be interleaved
    if (tied_output_.empty()) {
      tied_output_ = std::exchange(output, views);
    } else {
      output = std::exchange(tied_output_, {});
    }
  }
  return std::exchange(replaced, std::move(views));
}

void Weights::load(const TensorSource& source, size_t tensor, const TensorPlace& place) {
  const TensorInfo& info = source.tensors()[tensor];
  if (place.is_bias) {
    bytes_ += info.bytes();
    TensorView& bias = biases_[index_of(place)];
    bias = {.rows = static_cast<int64_t>(info.shape.rows()),
            .columns = static_cast<int64_t>(info.shape.columns())};
    return load_as_f32(source, tensor, bias);
  }
  const uint64_t matrices = role_row(place.role).is_stacked() ? info.shape.dims[2] : 1;
  const uint64_t rows = info.shape.rows() / matrices;
  auto& views = views_[index_of(place)];
  views.assign(matrices, {.type = info.type,
                          .rows = static_cast<int64_t>(rows),
                          .columns = static_cast<int64_t>(info.shape.columns())});
  bytes_ += info.bytes();
  if (is_kept_f32(place)) return load_as_f32(source, tensor, views.front());
  for (uint64_t m = 0; m < matrices; ++m) {
    const auto bytes = source.view_rows(tensor, m * rows, rows);
    views[m].data = bytes.data();
    if (!bytes.empty()) continue;
    const uint64_t size = rows * info.row_bytes();
    owned_.push_back(std::make_unique_for_overwrite<std::byte[]>(size));
    source.read_rows(tensor, m * rows, rows, {owned_.back().get(), size});
    views[m].data = owned_.back().get();
  }
}

void Weights::load_scales(const TensorSource& source, size_t tensor, const TensorPlace& place) {
  TensorView scales;
  load_as_f32(source, tensor, scales);
  bytes_ += source.tensors()[tensor].bytes();
  auto& views = views_[index_of(place)];
  for (size_t i = 0; i < views.size(); ++i)
    views[i].scale = reinterpret_cast<const float*>(scales.data)[i];
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

uint64_t Weights::interleaved_bytes() const {
  uint64_t bytes = 0;
  for (size_t i = 0; i < views_.size(); ++i) {
    const auto role = static_cast<Role>(i % kRoleCount);
    if (!is_interleaved(role)) continue;
    // Parts of a tensor of an older file stay as they are.
    if (role_row(role).kind == RoleKind::kHeads &&
        of(Role::kAttnKvB, static_cast<int64_t>(i / kRoleCount)))
      continue;
    for (const TensorView& view : views_[i]) {
      if (view) bytes += static_cast<uint64_t>(nibble::interleaved_bytes(view));
    }
  }
  return bytes;
}

void Weights::interleave(const TensorSource& source, ThreadPool& pool) {
  const uint64_t size = interleaved_bytes();
  copy_ = HugePages(size);
  for_interleaved(source, [&](TensorView& view, uint64_t offset) {
    nibble::interleave(view, copy_.data() + offset, pool);
    view.interleaved = copy_.data() + offset;
  });
  interleaved_ = {copy_.data(), size};
}

void Weights::use_interleaved(const TensorSource& source, std::span<const std::byte> bytes) {
  for_interleaved(
      source, [&](TensorView& view, uint64_t offset) { view.interleaved = bytes.data() + offset; });
  interleaved_ = bytes;
}

void Weights::for_interleaved(const TensorSource& source,
                              const std::function<void(TensorView&, uint64_t)>& make) {
  uint64_t offset = 0;
  for (size_t i = 0; i < source.tensors().size(); ++i) {
    TensorPlace place = *place_from_gguf_name(source.tensors()[i].name);
    if (place.role == Role::kTokenEmbd && of(Role::kOutput).data == of(Role::kTokenEmbd).data)
      place.role = Role::kOutput;  // tied
    if (place.is_bias || place.is_scale() || !is_interleaved(place.role)) continue;
    bool is_used = false;
    for (TensorView& view : views_[index_of(place)]) {
      const int64_t bytes = nibble::interleaved_bytes(view);
      if (bytes == 0) continue;
      make(view, offset);
      offset += static_cast<uint64_t>(bytes);
      is_used = true;
    }
    if (is_used) source.forget(i);
  }
}

}  // namespace nibble
