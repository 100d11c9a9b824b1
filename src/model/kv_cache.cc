#include "model/kv_cache.h"

#include <algorithm>

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

const ModelConfig& checked(const ModelConfig& config, int64_t capacity, KvTypes types) {
  check_kv_types(config, types, "this model");
  if (capacity < 1 || capacity > (int64_t{1} << 31))
    fail(ErrorCode::kUsage, "a context of {} positions is not possible", capacity);
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
    : capacity_(capacity),
      layout_(checked(config, capacity, types).kv_heads, config.head_dim, capacity, types),
      data_(allocate(config, layout_)) {}

void KvCache::store(int64_t layer, int64_t position, const float* key, const float* value) {
  std::byte* keys = data_.data() + layer * layer_bytes();
  store_position(layout_, position, key, value, keys, keys + layout_.key_bytes());
}

}  // namespace nibble
