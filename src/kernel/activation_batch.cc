#include "kernel/activation_batch.h"

#include <algorithm>
#include <cstring>

#include "codec/codec.h"
#include "kernel/operations.h"

namespace nibble {
namespace {

template <class T>
void grow(std::vector<T>& v, int64_t size) {
  if (v.size() < static_cast<size_t>(size)) v.resize(static_cast<size_t>(size));
}

int width_for(int64_t columns) {
  int width = kTileWidths[0];
  for (const int narrower : kTileWidths) {
    if (columns <= narrower) width = narrower;
  }
  return width;
}

// Column `c` of a tile: every `width`th element is its.
template <class T>
void spread(const T* row, int64_t count, int width, int c, T* tile) {
  for (int64_t i = 0; i < count; ++i) tile[i * width + c] = row[i];
}

void pack_column(const ActivationRow& row, int64_t padded, int width, int c, int8_t* q, float* d,
                 int32_t* sum) {
  if (width == 1) {
    std::memcpy(q, row.q, static_cast<size_t>(padded));
  } else {
    for (int64_t i = 0; i < padded; i += 4) std::memcpy(q + (i * width + 4 * c), row.q + i, 4);
  }
  spread(row.d, padded / 32, width, c, d);
  for (int64_t i = 0; i < padded; i += 16) {
    int32_t total = 0;
    for (int k = 0; k < 16; ++k) total += row.q[i + k];
    sum[i / 16 * width + c] = total;
  }
}

}  // namespace

void ActivationBatch::assign(const float* x, int64_t rows, int64_t n,
                             std::span<const int64_t> group_ends) {
  x_ = x;
  count_ = rows;
  n_ = n;
  padded_ = (n + kChunk - 1) / kChunk * kChunk;
  floats_packed_ = false;
  for (Integers& integers : integers_) {
    integers.is_quantized = integers.is_packed = false;
    for (Variant& variant : integers.variants) variant.is_current = false;
  }
  rows_.assign(static_cast<size_t>(rows), {});
  for (int64_t b = 0; b < rows; ++b) rows_[static_cast<size_t>(b)].x = x + b * n;
  tiles_.clear();
  places_.clear();
  groups_.assign(1, {});
  tile_columns_ = 0;
  for (const int64_t end : group_ends.empty() ? std::span<const int64_t>(&count_, 1) : group_ends) {
    cut_into_tiles(groups_.back().row, end);
    groups_.push_back({end, tiles_.size()});
  }
  float_tiles_ = tiles_;
}

void ActivationBatch::cut_into_tiles(int64_t begin, int64_t end) {
  while (begin < end) {
    const int width = width_for(end - begin);
    const auto columns = static_cast<int>(std::min<int64_t>(width, end - begin));
    tiles_.push_back({nullptr, nullptr, nullptr, nullptr, nullptr, width, columns});
    places_.push_back({begin, tile_columns_});
    begin += columns;
    tile_columns_ += width;
  }
}

uint64_t ActivationBatch::buffer_bytes() const {
  const auto bytes = [](const auto& v) { return v.size() * sizeof v[0]; };
  uint64_t sum = bytes(tile_x_);
  for (const Integers& to : integers_) {
    sum += bytes(to.q) + bytes(to.d) + bytes(to.s) + bytes(to.tile_q) + bytes(to.tile_d) +
           bytes(to.tile_sum);
    for (const Variant& variant : to.variants) sum += bytes(variant.start) + bytes(variant.s);
  }
  return sum;
}

// What fits one tile is not worth another thread's attention.
template <class Function>
void ActivationBatch::for_tiles(ThreadPool& pool, const Function& function) const {
  const auto count = static_cast<int64_t>(tiles_.size());
  if (count == 0) return;
  const int64_t grain = count_ <= kTileWidths[0] ? count : 1;
  pool.run(count, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) function(static_cast<size_t>(t));
  });
}

ActivationBatch::Integers& ActivationBatch::integers_for(DType type) {
  const Rounding rounding = rounding_for(type, activations_);
  for (Integers& integers : integers_)
    if (integers.rounding == rounding) return integers;
  integers_.emplace_back().rounding = rounding;
  return integers_.back();
}

const std::vector<ActivationRow>& ActivationBatch::prepared(DType type, ThreadPool& pool) {
  if (codec(type).domain == Domain::kFloat) return rows_;
  Integers& integers = integers_for(type);
  if (integers.is_quantized) return integers.rows;
  make_room_to_quantize(integers);
  pool.run(count_, 4, [&](int64_t begin, int64_t end, int) { quantize(integers, begin, end); });
  integers.is_quantized = true;
  return integers.rows;
}

void ActivationBatch::make_room_to_quantize(Integers& to) const {
  grow(to.q, count_ * padded_);
  grow(to.d, count_ * padded_ / 32);
  grow(to.s, count_ * padded_ / 16);
  to.rows.resize(static_cast<size_t>(count_));
}

void ActivationBatch::quantize(Integers& to, int64_t begin, int64_t end) const {
  for (int64_t b = begin; b < end; ++b) {
    int8_t* q = to.q.data() + b * padded_;
    float* d = to.d.data() + b * padded_ / 32;
    float* s = to.s.data() + b * padded_ / 16;
    round_row(to.rounding, x_ + b * n_, n_, q, d, s);
    to.rows[static_cast<size_t>(b)] = {x_ + b * n_, q, d, s};
  }
}

const std::vector<ActivationTile>& ActivationBatch::tiles(DType type, ThreadPool& pool) {
  const Codec& format = codec(type);
  if (format.domain == Domain::kFloat) {
    if (!floats_packed_) pack_floats(pool);
    floats_packed_ = true;
    return float_tiles_;
  }
  Integers& integers = integers_for(type);
  if (!integers.is_packed) pack_integers(integers, pool);
  const PanelForm& form = format.panel;
  const int zero = form.zero + (form.is_signed ? operations().panel_zero : 0);
  Variant& wanted = integers.variant(zero, form.group);
  if (!wanted.is_current) sum_groups(integers, wanted, pool);
  return wanted.tiles;
}

ActivationBatch::Variant& ActivationBatch::Integers::variant(int zero, int group) {
  for (Variant& variant : variants) {
    if (variant.zero == zero && variant.group == group) return variant;
  }
  return variants.emplace_back(Variant{zero, group, false, {}, {}, {}});
}

// Rows are quantized just before, while they are in the cache.
void ActivationBatch::pack_integers(Integers& to, ThreadPool& pool) const {
  if (!to.is_quantized) make_room_to_quantize(to);
  grow(to.tile_q, tile_columns_ * padded_);
  grow(to.tile_d, tile_columns_ * padded_ / 32);
  grow(to.tile_sum, tile_columns_ * padded_ / 16);
  to.tiles = tiles_;
  for_tiles(pool, [&](size_t t) {
    ActivationTile& tile = to.tiles[t];
    const int64_t row = places_[t].row, at = places_[t].column * padded_;
    int8_t* q = to.tile_q.data() + at;
    float* d = to.tile_d.data() + at / 32;
    int32_t* sum = to.tile_sum.data() + at / 16;
    if (tile.columns < tile.width) {
      std::fill_n(q, tile.width * padded_, int8_t{0});
      std::fill_n(d, tile.width * padded_ / 32, 0.0f);
      std::fill_n(sum, tile.width * padded_ / 16, 0);
    }
    if (!to.is_quantized) quantize(to, row, row + tile.columns);
    for (int c = 0; c < tile.columns; ++c)
      pack_column(to.rows[static_cast<size_t>(row + c)], padded_, tile.width, c, q, d, sum);
    tile.q = q;
    tile.d = d;
  });
  to.is_quantized = to.is_packed = true;
}

void ActivationBatch::sum_groups(const Integers& from, Variant& variant, ThreadPool& pool) const {
  const int group = variant.group;
  grow(variant.start, static_cast<int64_t>(from.tile_sum.size()));
  grow(variant.s, static_cast<int64_t>(from.tile_sum.size()));
  variant.tiles = from.tiles;
  variant.is_current = true;
  for_tiles(pool, [&](size_t t) {
    ActivationTile& tile = variant.tiles[t];
    const int64_t at = places_[t].column * padded_ / 16;
    const int32_t* sum = from.tile_sum.data() + at;
    int32_t* start = variant.start.data() + at;
    float* s = variant.s.data() + at;
    tile.start = start;
    tile.s = s;
    for (int64_t g = 0; g < padded_ / group; ++g, start += tile.width, s += tile.width) {
      const float* d = tile.d + g * group / 32 * tile.width;
      for (int c = 0; c < tile.width; ++c) {
        const int32_t first = sum[g * group / 16 * tile.width + c];
        const int32_t second = group == 32 ? sum[(2 * g + 1) * tile.width + c] : 0;
        start[c] = kSumStart - variant.zero * (first + second);
        s[c] = d[c] * static_cast<float>(first + second);
      }
    }
  });
}

void ActivationBatch::pack_floats(ThreadPool& pool) {
  grow(tile_x_, tile_columns_ * n_);
  for_tiles(pool, [&](size_t t) {
    ActivationTile& tile = float_tiles_[t];
    float* x = tile_x_.data() + places_[t].column * n_;
    if (tile.columns < tile.width) std::fill_n(x, tile.width * n_, 0.0f);
    for (int c = 0; c < tile.columns; ++c)
      spread(x_ + (places_[t].row + c) * n_, n_, tile.width, c, x);
    tile.x = x;
  });
}

}  // namespace nibble
