#include "kernel/kv_store.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "codec/codec.h"
#include "kernel/hadamard.h"

namespace nibble {
namespace {

// The heads as rows of `type`, one after the other in a buffer of this thread.
const std::byte* encode(DType type, const float* x, int64_t width) {
  static thread_local std::vector<std::byte> rows;
  rows.resize(static_cast<size_t>(width / block_weights(type) * block_bytes(type)));
  codec(type).encode(x, nullptr, width, Effort::kFast, rows.data());
  return rows.data();
}

const std::byte* encode_keys(const KvLayout& layout, const float* x) {
  static thread_local std::vector<float> rotated;
  const int64_t width = layout.kv_heads * layout.head_dim;
  if (!are_keys_rotated(layout.types.key)) return encode(layout.types.key, x, width);
  rotated.assign(x, x + width);
  for (int64_t i = 0; i < width; i += layout.head_dim)
    hadamard(rotated.data() + i, layout.head_dim);
  return encode(layout.types.key, rotated.data(), width);
}

// A row between those of 15 other positions, which `lane` counts.
template <size_t bytes>
void spread(const std::byte* row, int64_t elements, int64_t lane, std::byte* keys) {
  for (int64_t i = 0; i < elements; ++i)
    std::memcpy(keys + (16 * i + lane) * static_cast<int64_t>(bytes),
                row + i * static_cast<int64_t>(bytes), bytes);
}

template <size_t bytes>
void gather(std::byte* row, int64_t elements, int64_t lane, const std::byte* keys) {
  for (int64_t i = 0; i < elements; ++i)
    std::memcpy(row + i * static_cast<int64_t>(bytes),
                keys + (16 * i + lane) * static_cast<int64_t>(bytes), bytes);
}

// Calls move.operator()<bytes>(row, elements, keys) for each run of elements of one size.
template <class Row, class Keys, class Move>
void for_elements(DType type, Row* row, int64_t head_dim, Keys* keys, const Move& move) {
  const int64_t block = block_bytes(type);
  if (type == DType::kF32) return move.template operator()<4>(row, head_dim, keys);
  if (block_weights(type) == 1) return move.template operator()<2>(row, head_dim, keys);
  for (int64_t i = 0; i < head_dim; i += block_weights(type), row += block, keys += 16 * block) {
    move.template operator()<2>(row, 1, keys);
    move.template operator()<1>(row + 2, block - 2, keys + 32);
  }
}

}  // namespace

void store_position(const KvLayout& layout, int64_t position, const float* key, const float* value,
                    std::byte* keys, std::byte* values) {
  store_key(layout, position, key, keys);
  const std::byte* row = encode(layout.types.value, value, layout.kv_heads * layout.head_dim);
  for (int64_t h = 0; h < layout.kv_heads; ++h, row += layout.value_row)
    std::copy_n(row, layout.value_row, values + layout.value(h, position));
}

void store_key(const KvLayout& layout, int64_t position, const float* key, std::byte* keys) {
  const int64_t lane = position % 16;
  const std::byte* row = encode_keys(layout, key);
  for (int64_t h = 0; h < layout.kv_heads; ++h, row += layout.key_row) {
    for_elements(layout.types.key, row, layout.head_dim, keys + layout.keys(h, position - lane),
                 [&]<size_t bytes>(const std::byte* from, int64_t elements, std::byte* to) {
                   spread<bytes>(from, elements, lane, to);
                 });
  }
}

void load_key(const KvLayout& layout, int64_t position, const std::byte* keys, float* key) {
  static thread_local std::vector<std::byte> row;
  row.resize(static_cast<size_t>(layout.key_row));
  const int64_t lane = position % 16;
  for (int64_t h = 0; h < layout.kv_heads; ++h, key += layout.head_dim) {
    for_elements(layout.types.key, row.data(), layout.head_dim,
                 keys + layout.keys(h, position - lane),
                 [&]<size_t bytes>(std::byte* to, int64_t elements, const std::byte* from) {
                   gather<bytes>(to, elements, lane, from);
                 });
    codec(layout.types.key).decode(row.data(), layout.head_dim, key);
    if (are_keys_rotated(layout.types.key)) hadamard(key, layout.head_dim);  // its own inverse
  }
}

}  // namespace nibble
