#include "model/kv_cache.h"

#include <new>

#include "base/error.h"

namespace nibble {

KvCache::KvCache(const ModelConfig& config, int64_t capacity, DType type)
    : type_(type), capacity_(capacity), layer_stride_(capacity * config.kv_width()) {
  if (type != DType::kF16 && type != DType::kF32) {
    fail(ErrorCode::kUsage, "a KV cache of type {} is not supported; use f16 or f32",
         dtype_name(type));
  }
  if (capacity < 1 || capacity > (int64_t{1} << 31)) {
    fail(ErrorCode::kUsage, "a context of {} positions is not possible", capacity);
  }
  const auto elements = static_cast<size_t>(2 * config.layers) * static_cast<size_t>(layer_stride_);
  try {
    if (type == DType::kF16) f16_.resize(elements);
    if (type == DType::kF32) f32_.resize(elements);
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::kUnsupported,
         "a KV cache for {} positions does not fit into memory; use a shorter --context", capacity);
  }
}

}  // namespace nibble
