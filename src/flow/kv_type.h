// The types of a KV cache, as options give them: "q8_0", or "q8_0/q4_0" for keys and values.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "kernel/kv_layout.h"

namespace nibble {

inline DType kv_type_from_name(std::string_view name) {
  std::string known;
  for (const DType type : kKvTypes) {
    if (dtype_from_name(name) == type) return type;
    known += fmt::format("{}, ", dtype_name(type));
  }
  fail(ErrorCode::kUsage,
       "unknown KV cache type \"{}\"; there are {}and KEYS/VALUES, as in q8_0/q4_0", name, known);
}

inline KvTypes kv_types_from_name(std::string_view name) {
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos) return kv_type_from_name(name);
  return {kv_type_from_name(name.substr(0, slash)), kv_type_from_name(name.substr(slash + 1))};
}

inline std::string kv_types_name(KvTypes types) {
  const auto key = dtype_name(types.key);
  return types.key == types.value ? std::string(key)
                                  : fmt::format("{}/{}", key, dtype_name(types.value));
}

}  // namespace nibble
