// The name of a KV cache type, as options give it.
#pragma once

#include <string_view>

#include "base/error.h"
#include "codec/formats.h"

namespace nibble {

inline DType kv_type_from_name(std::string_view name) {
  const auto type = dtype_from_name(name);
  if (type && (*type == DType::kF16 || *type == DType::kF32)) return *type;
  fail(ErrorCode::kUsage, "unknown KV cache type \"{}\"; use f16 or f32", name);
}

}  // namespace nibble
