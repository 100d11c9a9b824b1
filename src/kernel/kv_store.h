// Writing into a cache of keys and values.
#pragma once

#include <cstddef>

#include "kernel/kv_layout.h"

namespace nibble {

// The key and the value of a position, kv_heads * head_dim floats each, into a layer's keys and
// values. Thread-safe for different positions.
void store_position(const KvLayout& layout, int64_t position, const float* key, const float* value,
                    std::byte* keys, std::byte* values);

}  // namespace nibble
