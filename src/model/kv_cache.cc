#include "model/kv_cache.h"

#include <algorithm>
#include <new>

#include "base/error.h"
#include "kernel/operations.h"

namespace nibble {

KvCache::KvCache(const ModelConfig& config, int64_t capacity, DType type)
    : type_(type),
      capacity_(capacity),
      layout_{config.kv_heads, config.head_dim, KvLayout::rounded(capacity)} {
  if (type != DType::kF16 && type != DType::kF32) {
    fail(ErrorCode::kUsage, "a KV cache of type {} is not supported; use f16 or f32",
         dtype_name(type));
  }
  if (capacity < 1 || capacity > (int64_t{1} << 31)) {
    fail(ErrorCode::kUsage, "a context of {} positions is not possible", capacity);
  }
  const auto elements =
      static_cast<size_t>(2 * config.layers) * static_cast<size_t>(layout_.elements());
  try {
    if (type == DType::kF16) f16_.resize(elements);
    if (type == DType::kF32) f32_.resize(elements);
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::kUnsupported,
         "a KV cache for {} positions does not fit into memory; use a shorter --context", capacity);
  }
}

void KvCache::store(int64_t layer, int64_t position, const float* key, const float* value) {
  if (type_ == DType::kF32) return store_as(layer, position, key, value);
  const int64_t width = layout_.kv_heads * layout_.head_dim;
  static thread_local std::vector<uint16_t> halves;
  halves.resize(static_cast<size_t>(2 * width));
  operations().to_f16(key, width, halves.data());
  operations().to_f16(value, width, halves.data() + width);
  store_as<uint16_t>(layer, position, halves.data(), halves.data() + width);
}

template <class Element>
void KvCache::store_as(int64_t layer, int64_t position, const Element* key, const Element* value) {
  const int64_t dim = layout_.head_dim;
  for (int64_t h = 0; h < layout_.kv_heads; ++h, key += dim, value += dim) {
    Element* to = keys<Element>(layer) + layout_.head(h) + layout_.key(position);
    for (int64_t i = 0; i < dim; ++i) to[16 * i] = key[i];
    std::copy_n(value, dim, values<Element>(layer) + layout_.head(h) + layout_.value(position));
  }
}

}  // namespace nibble
