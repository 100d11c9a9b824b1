#include "model/kv_cache.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "kernel/kv_store.h"

namespace nibble {
namespace {

HugePages allocate(const ModelConfig& config, const KvLayout& layout) {
  const int64_t bytes = config.layers * (layout.key_bytes() + layout.value_bytes());
  try {
    return HugePages(static_cast<uint64_t>(bytes));
  } catch (const Error&) {
    fail(ErrorCode::kUnsupported,
         "a KV cache for {} positions does not fit into memory ({} bytes); use a shorter --context "
         "or a smaller --kv type",
         layout.capacity, bytes);
  }
}

bool has_learned_positions(const ModelConfig& config) {
  return config.arch != nullptr && config.arch->positions == PositionKind::kLearned;
}

const ModelConfig& checked(const ModelConfig& config, int64_t capacity, KvTypes types) {
  check_kv_types(config, types, "this model");
  if (capacity < 1 || capacity > (int64_t{1} << 31))
    fail(ErrorCode::kUsage, "a context of {} positions is not possible", capacity);
  if (has_learned_positions(config) && capacity > config.context_length) {
    fail(ErrorCode::kUsage, "a context of {} positions is not possible: this model learned only {}",
         capacity, config.context_length);
  }
  return config;
}

}  // namespace

void check_kv_types(const ModelConfig& config, KvTypes types, std::string_view model) {
  for (const DType type : {types.key, types.value}) {
    if (std::find(std::begin(kKvTypes), std::end(kKvTypes), type) == std::end(kKvTypes))
      fail(ErrorCode::kUsage, "a KV cache of type {} is not supported", dtype_name(type));
    if (config.head_dim % block_weights(type) != 0) {
      fail(
          ErrorCode::kUnsupported,
          "{}: a KV cache of type {} needs heads of a multiple of {} dimensions, but they have {}; "
          "use f16, bf16 or f32",
          model, dtype_name(type), block_weights(type), config.head_dim);
    }
  }
}

int64_t kv_bytes_per_position(const ModelConfig& config, KvTypes types) {
  const KvLayout layout(config.kv_heads, config.head_dim, 16, types);
  return config.layers * config.kv_heads * (layout.key_row + layout.value_row);
}

KvCache::KvCache(const ModelConfig& config, int64_t capacity, KvTypes types)
    : can_move_(!has_learned_positions(config)),
      layers_(config.layers),
      capacity_(capacity),
      layout_(checked(config, capacity, types).kv_heads, config.head_dim, capacity, types),
      data_(allocate(config, layout_)) {}

void KvCache::store(int64_t layer, int64_t position, const float* key, const float* value) {
  std::byte* keys = data_.data() + layer * layer_bytes();
  store_position(layout_, position, key, value, keys, keys + layout_.key_bytes());
}

// Keys lie in blocks of 16 positions: those behind `length` in the last one come along.
void KvCache::copy_from(const KvCache& other, int64_t length) {
  const int64_t positions = (length + 15) / 16 * 16;
  for (int64_t layer = 0; layer < layers_; ++layer) {
    for (int64_t h = 0; h < layout_.kv_heads; ++h) {
      const int64_t keys_at = layer * layer_bytes() + layout_.keys(h, 0);
      const int64_t values_at = layer * layer_bytes() + layout_.key_bytes() + layout_.value(h, 0);
      std::memcpy(data_.data() + keys_at, other.data_.data() + keys_at,
                  static_cast<size_t>(positions * layout_.key_row));
      std::memcpy(data_.data() + values_at, other.data_.data() + values_at,
                  static_cast<size_t>(length * layout_.value_row));
    }
  }
  length_ = length;
}

void KvCache::remove(int64_t begin, int64_t count, const LayerRopes& ropes, ThreadPool& pool) {
  if (!can_move_) {
    fail(ErrorCode::kUnsupported,
         "this model learned its positions: what it has read cannot move to others; use a context "
         "that holds all tokens");
  }
  pool.run(layers_, 1, [&](int64_t first, int64_t last, int) {
    for (int64_t layer = first; layer < last; ++layer) move_down(layer, begin, count, ropes);
  });
  length_ -= count;
}

void KvCache::move_down(int64_t layer, int64_t begin, int64_t count, const LayerRopes& ropes) {
  std::byte* keys = data_.data() + layer * layer_bytes();
  std::vector<float> key(static_cast<size_t>(layout_.kv_heads * layout_.head_dim));
  const auto kind = ropes.kind_of(layer);
  const Rope* rope = kind ? &ropes.of(*kind, capacity_) : nullptr;
  std::vector<float> cos_sin(static_cast<size_t>(rope == nullptr ? 0 : rope->dimensions()));
  if (rope != nullptr) rope->angles_of_shift(-count, cos_sin.data());
  for (int64_t p = begin + count; p < length_; ++p) {
    load_key(layout_, p, keys, key.data());
    if (rope != nullptr) {
      Rope::turn(cos_sin.data(), rope->dimensions(), key.data(), layout_.kv_heads, layout_.head_dim,
                 rope->pairs());
    }
    store_key(layout_, p - count, key.data(), keys);
  }
  std::byte* values = keys + layout_.key_bytes();
  for (int64_t h = 0; h < layout_.kv_heads; ++h) {
    std::memmove(values + layout_.value(h, begin), values + layout_.value(h, begin + count),
                 static_cast<size_t>((length_ - begin - count) * layout_.value_row));
  }
}

}  // namespace nibble
