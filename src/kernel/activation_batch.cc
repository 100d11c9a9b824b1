#include "kernel/activation_batch.h"

#include <algorithm>
#include <cstring>

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
  quantized_ = integers_packed_ = floats_packed_ = false;
  for (Variant& variant : variants_) variant.is_current = false;
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

const std::vector<ActivationRow>& ActivationBatch::prepared(Domain domain, ThreadPool& pool) {
  if (domain == Domain::kFloat || quantized_) return rows_;
  grow(q_, count_ * padded_);
  grow(d_, count_ * padded_ / 32);
  grow(s_, count_ * padded_ / 16);
  const auto quantize_rows = [&](int64_t begin, int64_t end, int) {
    for (int64_t b = begin; b < end; ++b) {
      int8_t* q = q_.data() + b * padded_;
      float* d = d_.data() + b * padded_ / 32;
      float* s = s_.data() + b * padded_ / 16;
      operations().quantize(x_ + b * n_, n_, q, d, s);
      rows_[static_cast<size_t>(b)] = {x_ + b * n_, q, d, s};
    }
  };
  pool.run(count_, 4, quantize_rows);
  quantized_ = true;
  return rows_;
}

const std::vector<ActivationTile>& ActivationBatch::tiles(const PanelForm* form, ThreadPool& pool) {
  if (form == nullptr) {
    if (!floats_packed_) pack_floats(pool);
    floats_packed_ = true;
    return float_tiles_;
  }
  if (!integers_packed_) {
    prepared(Domain::kInteger, pool);
    pack_integers(pool);
    integers_packed_ = true;
  }
  const int zero = form->zero + (form->is_signed ? operations().panel_zero : 0);
  Variant& wanted = variant(zero, form->group);
  if (!wanted.is_current) sum_groups(wanted, pool);
  return wanted.tiles;
}

ActivationBatch::Variant& ActivationBatch::variant(int zero, int group) {
  for (Variant& variant : variants_) {
    if (variant.zero == zero && variant.group == group) return variant;
  }
  return variants_.emplace_back(Variant{zero, group, false, {}, {}, {}});
}

void ActivationBatch::pack_integers(ThreadPool& pool) {
  tile_q_.assign(static_cast<size_t>(tile_columns_ * padded_), 0);
  tile_d_.assign(static_cast<size_t>(tile_columns_ * padded_ / 32), 0.0f);
  tile_sum_.assign(static_cast<size_t>(tile_columns_ * padded_ / 16), 0);
  for_tiles(pool, [&](size_t t) {
    ActivationTile& tile = tiles_[t];
    const int64_t at = places_[t].column * padded_;
    for (int c = 0; c < tile.columns; ++c) {
      pack_column(rows_[static_cast<size_t>(places_[t].row + c)], padded_, tile.width, c,
                  tile_q_.data() + at, tile_d_.data() + at / 32, tile_sum_.data() + at / 16);
    }
    tile.q = tile_q_.data() + at;
    tile.d = tile_d_.data() + at / 32;
  });
}

void ActivationBatch::sum_groups(Variant& variant, ThreadPool& pool) const {
  const int group = variant.group;
  grow(variant.start, static_cast<int64_t>(tile_sum_.size()));
  grow(variant.s, static_cast<int64_t>(tile_sum_.size()));
  variant.tiles = tiles_;
  variant.is_current = true;
  for_tiles(pool, [&](size_t t) {
    ActivationTile& tile = variant.tiles[t];
    const int64_t at = places_[t].column * padded_ / 16;
    const int32_t* sum = tile_sum_.data() + at;
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
  tile_x_.assign(static_cast<size_t>(tile_columns_ * n_), 0.0f);
  for_tiles(pool, [&](size_t t) {
    ActivationTile& tile = float_tiles_[t];
    float* x = tile_x_.data() + places_[t].column * n_;
    for (int c = 0; c < tile.columns; ++c)
      spread(x_ + (places_[t].row + c) * n_, n_, tile.width, c, x);
    tile.x = x;
  });
}

}  // namespace nibble
