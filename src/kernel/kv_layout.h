// How the keys and values of one layer lie in a cache: head by head, so that each head is one
// stream; keys with 16 positions side by side, a dimension after the other.
#pragma once

#include <cstdint>

namespace nibble {

struct KvLayout {
  int64_t kv_heads;
  int64_t head_dim;
  int64_t capacity;  // positions, a multiple of 16

  static int64_t rounded(int64_t positions) { return (positions + 15) / 16 * 16; }
  int64_t elements() const { return kv_heads * capacity * head_dim; }
  int64_t head(int64_t kv_head) const { return kv_head * capacity * head_dim; }
  // Within a head. Dimension i of a key is 16 i elements further, of a value i.
  int64_t key(int64_t position) const { return position / 16 * 16 * head_dim + position % 16; }
  int64_t value(int64_t position) const { return position * head_dim; }
};

}  // namespace nibble
