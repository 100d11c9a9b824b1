// Writing into a cache of keys and values, and reading keys back.
#pragma once

#include <cstddef>

#include "kernel/kv_layout.h"

namespace nibble {

// The key and the value of a position, kv_heads * head_dim floats each, into a layer's keys and
// values. Thread-safe for different positions.
void store_position(const KvLayout& layout, int64_t position, const float* key, const float* value,
                    std::byte* keys, std::byte* values);

// The key alone; and a stored one, as the floats that its elements are.
void store_key(const KvLayout& layout, int64_t position, const float* key, std::byte* keys);
void load_key(const KvLayout& layout, int64_t position, const std::byte* keys, float* key);

}  // namespace nibble
