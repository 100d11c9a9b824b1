// How the keys and values of one layer lie in a cache: head by head, so that each head is one
// stream. A value is a row of head_dim elements in the format of its type (codec/formats.h). Keys
// are such rows too, 16 positions side by side: of float types a dimension after the other, of
// block types a block after the other,
//   0    f16[16]           d of each position
//   32   u8[codes][16]     a byte of codes of each position after the other
// so 16 keys take the bytes of 16 rows.
#pragma once

#include <cstdint>

#include "codec/formats.h"

namespace nibble {

// What keys and values may be stored as.
inline constexpr DType kKvTypes[] = {DType::kF32, DType::kF16, DType::kBF16, DType::kQ8_0,
                                     DType::kQ4_0};

// 4 bits hold keys only after a rotation, which spreads what is large over all dimensions
// (kernel/hadamard.h); queries are rotated too. Divergence from an exact cache on 6400 tokens of
// lab-7m: 3.8e-3 instead of 8.3e-3. Values of 4 bits lose a tenth by it; keys of 8 bits gain
// (2.2e-5 instead of 4.4e-5), but are below what 8-bit activations cost anyway.
constexpr bool are_keys_rotated(DType type) { return type == DType::kQ4_0; }

struct KvTypes {
  DType key, value;
  KvTypes(DType both) : key(both), value(both) {}  // NOLINT: implicit on purpose
  KvTypes(DType key_type, DType value_type) : key(key_type), value(value_type) {}
};

struct KvLayout {
  // head_dim is a multiple of both types' blocks. `positions` is rounded up to a multiple of 16.
  KvLayout(int64_t kv_heads_, int64_t head_dim_, int64_t positions, KvTypes types_)
      : kv_heads(kv_heads_),
        head_dim(head_dim_),
        capacity((positions + 15) / 16 * 16),
        types(types_),
        key_row(row_bytes(types.key)),
        value_row(row_bytes(types.value)) {}

  int64_t key_bytes() const { return kv_heads * capacity * key_row; }  // of a layer
  int64_t value_bytes() const { return kv_heads * capacity * value_row; }
  // Where 16 keys begin, the first of them at `position`, a multiple of 16.
  int64_t keys(int64_t kv_head, int64_t position) const {
    return (kv_head * capacity + position) * key_row;
  }
  int64_t value(int64_t kv_head, int64_t position) const {
    return (kv_head * capacity + position) * value_row;
  }

  int64_t kv_heads, head_dim;
  int64_t capacity;  // positions
  KvTypes types;
  int64_t key_row, value_row;  // bytes of a position in a head

 private:
  int64_t row_bytes(DType type) const { return head_dim / block_weights(type) * block_bytes(type); }
};

}  // namespace nibble
