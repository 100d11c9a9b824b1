#include "model/forward_work.h"

#include <algorithm>

#include "codec/codec.h"

namespace nibble {
namespace {

// Matrices like this one times `columns` activations in all. Vectors (norms) are no matrices, nor
// is what is not there.
ForwardWork multiplied(const TensorView& matrix, int64_t columns, int64_t matrices = 1) {
  ForwardWork work;
  if (!matrix || matrix.rows == 1 || columns == 0) return work;
  work.read_bytes = matrices * matrix.rows * matrix.row_bytes();
  const bool is_float = codec(matrix.type).domain == Domain::kFloat;
  (is_float ? work.float_products : work.integer_products) = matrix.rows * matrix.columns * columns;
  return work;
}

// Keys and values that tokens see: each those before it and its own.
int64_t cache_bytes(const ModelConfig& config, KvTypes kv_types, int64_t position, int64_t tokens) {
  const int64_t seen = tokens * position + tokens * (tokens + 1) / 2;
  return seen * kv_bytes_per_position(config, kv_types);
}

}  // namespace

ForwardWork& ForwardWork::operator+=(const ForwardWork& other) {
  read_bytes += other.read_bytes;
  integer_products += other.integer_products;
  float_products += other.float_products;
  return *this;
}

ForwardWork forward_work(const ModelConfig& config, const Weights& weights, KvTypes kv_types,
                         int64_t position, int64_t tokens, int64_t wanted, int64_t sequences) {
  ForwardWork work = multiplied(weights.of(Role::kOutput), wanted * sequences);
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    for (const RoleRow& row : kRoles) {
      if (!row.per_layer || !is_multiplied({row.role})) continue;
      const TensorView& matrix = weights.of(row.role, layer);
      if (!is_interleaved(row.role)) continue;
      if (row.kind == RoleKind::kHeads) {
        work += multiplied(matrix, tokens * sequences * config.heads, config.heads);
        continue;
      }
      const int64_t columns = tokens * sequences * (row.is_stacked() ? config.experts_used : 1);
      work += multiplied(matrix, columns, row.is_stacked() ? std::min(config.experts, columns) : 1);
    }
  }
  work.read_bytes += sequences * cache_bytes(config, kv_types, position, tokens);
  return work;
}

}  // namespace nibble
