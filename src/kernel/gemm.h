// Panels of weights times tiles of activations (panel.h), over V. Each output is one sum over the
// groups of its row in their order, so its bits depend neither on the ISA nor on what else is in
// the batch.
#pragma once

#include "codec/format.h"
#include "kernel/panel.h"

namespace nibble {

// The integer sums of one group (16 or 32 activations) times a pair of panels.
template <class V, int width, int group>
struct GroupSums {
  typename V::I32 sum[kPanelPair][width];

  NIBBLE_INLINE GroupSums(const uint8_t* const (&weights)[kPanelPair], const int8_t* activations,
                          const int32_t* start) {
#pragma GCC unroll 16
    for (int c = 0; c < width; ++c) {
      for (int p = 0; p < kPanelPair; ++p) sum[p][c] = V::set1_i32(start[c]);
    }
#pragma GCC unroll 8
    for (int k = 0; k < group / 4; ++k) {
      typename V::I8 w[kPanelPair];
      for (int p = 0; p < kPanelPair; ++p) w[p] = V::load_bytes(weights[p] + 64 * k);
#pragma GCC unroll 16
      for (int c = 0; c < width; ++c) {
        const auto a = V::broadcast4(activations + 4 * (k * width + c));
        for (int p = 0; p < kPanelPair; ++p) sum[p][c] = V::add_panel_dot(sum[p][c], w[p], a);
      }
    }
  }
};

// sums[column][row]: they stay in memory, the registers hold the groups' sums.
template <class V, int width, int group, bool has_minimum>
[[gnu::noinline]] void integer_tile(const WeightPanel* panels, const ActivationTile& tile,
                                    int64_t n, float* sums) {
  const uint8_t* q[kPanelPair];
  for (int p = 0; p < kPanelPair; ++p) q[p] = panels[p].q;
  const int8_t* a = tile.q;
  const float* tile_d = tile.d;
  for (int64_t g = 0; g < n / group; ++g) {
    const GroupSums<V, width, group> products(q, a, tile.start + g * width);
    typename V::F32 scale[kPanelPair], minimum[kPanelPair];
    for (int p = 0; p < kPanelPair; ++p) {
      scale[p] = V::load(panels[p].d + g * kPanelRows);
      if constexpr (has_minimum) minimum[p] = V::load(panels[p].m + g * kPanelRows);
      q[p] += kPanelRows * group;
    }
#pragma GCC unroll 16
    for (int c = 0; c < width; ++c) {
      const auto factor = V::set1(tile_d[c]);
      for (int p = 0; p < kPanelPair; ++p) {
        float* to = sums + (c * kPanelPair + p) * kPanelRows;
        auto sum = V::fma(V::mul(V::to_f32(products.sum[p][c]), scale[p]), factor, V::load(to));
        if constexpr (has_minimum) sum = V::fma(minimum[p], V::set1(tile.s[g * width + c]), sum);
        V::store(to, sum);
      }
    }
    asm volatile("" : : "r"(sums) : "memory");  // or the compiler keeps a second copy on its stack
    a += group * width;
    if (group == 32 || g % 2 == 1) tile_d += width;
  }
}

template <class V, int width>
[[gnu::noinline]] void float_tile(const WeightPanel* panels, const ActivationTile& tile, int64_t n,
                                  float* sums) {
  typename V::F32 sum[kPanelPair][width];
  for (int p = 0; p < kPanelPair; ++p) {
    for (int c = 0; c < width; ++c) sum[p][c] = V::zero();
  }
  const float* x[kPanelPair];
  for (int p = 0; p < kPanelPair; ++p) x[p] = panels[p].x;
  for (int64_t i = 0; i < n; ++i) {
    typename V::F32 w[kPanelPair];
    for (int p = 0; p < kPanelPair; ++p) w[p] = V::load(x[p] + kPanelRows * i);
#pragma GCC unroll 16
    for (int c = 0; c < width; ++c) {
      const auto a = V::set1(tile.x[i * width + c]);
      for (int p = 0; p < kPanelPair; ++p) sum[p][c] = V::fma(w[p], a, sum[p][c]);
    }
  }
  for (int c = 0; c < width; ++c) {
    for (int p = 0; p < kPanelPair; ++p) {
      V::store(sums + (c * kPanelPair + p) * kPanelRows, sum[p][c]);
    }
  }
}

template <class V, int width>
void any_tile(const WeightPanel* panels, const PanelForm* form, const ActivationTile& tile,
              int64_t n, float* sums) {
  if (form == nullptr) {
    float_tile<V, width>(panels, tile, n, sums);
  } else if (form->group == 32) {
    (form->has_minimum ? integer_tile<V, width, 32, true>
                       : integer_tile<V, width, 32, false>)(panels, tile, n, sums);
  } else {
    (form->has_minimum ? integer_tile<V, width, 16, true>
                       : integer_tile<V, width, 16, false>)(panels, tile, n, sums);
  }
}

// A tile times all panels, then the next: the tile comes from far, the panels are in the cache.
template <class V>
void gemm(const WeightPanel* panels, const PanelForm* form, int rows, const ActivationTile* tiles,
          int64_t count, int64_t n, float* y, int64_t y_stride) noexcept {
  constexpr void (*kTiles[])(const WeightPanel*, const PanelForm*, const ActivationTile&, int64_t,
                             float*) = {any_tile<V, kTileWidths[0]>, any_tile<V, kTileWidths[1]>,
                                        any_tile<V, kTileWidths[2]>, any_tile<V, kTileWidths[3]>,
                                        any_tile<V, kTileWidths[4]>};
  alignas(64) float sums[kTileWidths[0] * kPairRows];
  for (int64_t t = 0; t < count; ++t) {
    const ActivationTile& tile = tiles[t];
    int kind = 0;
    while (kTileWidths[kind] != tile.width) ++kind;
    for (int first = 0; first < rows; first += kPairRows) {
      for (int i = 0; i < tile.width * kPairRows; ++i) sums[i] = 0.0f;
      kTiles[kind](panels + first / kPanelRows, form, tile, n, sums);
      const int count_here = rows - first < kPairRows ? rows - first : kPairRows;
      for (int c = 0; c < tile.columns; ++c) {
        for (int r = 0; r < count_here; ++r) y[c * y_stride + first + r] = sums[c * kPairRows + r];
      }
    }
    y += tile.columns * y_stride;
  }
}

// 16 rows of 16 lanes to 16 columns of 16 lanes, one after the other.
template <class V>
NIBBLE_INLINE void transpose16(const float* const* rows, int64_t at, float* to) {
  typename V::F32 lanes[kPanelRows];
  for (int i = 0; i < kPanelRows; ++i) lanes[i] = V::load(rows[i] + at);
  V::transpose(lanes);
  for (int i = 0; i < kPanelRows; ++i) V::store(to + kPanelRows * i, lanes[i]);
}

// What 16 rows have for weights 16 i and on, to its groups' places; both halves of a group of 32
// have the same.
template <class V>
NIBBLE_INLINE void transpose_groups(const float* const* rows, int64_t i, int group, bool negate,
                                    float* to) {
  alignas(64) float lanes[16 * kPanelRows];
  transpose16<V>(rows, i, lanes);
  const int step = group / 16;
  for (int k = 0; k < 16; k += step) {
    const auto lane = V::load(lanes + kPanelRows * k);
    V::store(to + kPanelRows * ((i + k) / step), negate ? V::sub(V::zero(), lane) : lane);
  }
}

// A panel from 16 rows. n is a multiple of 256 (of 16 for float formats).
template <class V>
void make_panel(const PanelRow* rows, const PanelForm* form, int64_t n,
                const WeightPanel& panel) noexcept {
  const float *x[kPanelRows], *q[kPanelRows], *d[kPanelRows], *m[kPanelRows];
  for (int i = 0; i < kPanelRows; ++i) {
    x[i] = rows[i].x, d[i] = rows[i].d, m[i] = rows[i].m;
    q[i] = reinterpret_cast<const float*>(rows[i].q);  // lanes of 4 weights, only moved
  }
  if (form == nullptr) {
    for (int64_t i = 0; i < n; i += 16) transpose16<V>(x, i, panel.x + kPanelRows * i);
    return;
  }
  for (int64_t i = 0; i < n; i += 64) {
    uint8_t* to = panel.q + kPanelRows * i;
    transpose16<V>(q, i / 4, reinterpret_cast<float*>(to));
    for (int k = 0; form->is_signed && k < 16; ++k) {
      V::store_bytes(to + 64 * k, V::panel_bytes(V::load_bytes(to + 64 * k)));
    }
  }
  for (int64_t i = 0; i < n / 16; i += 16) {
    transpose_groups<V>(d, i, form->group, false, panel.d);
    if (form->has_minimum) transpose_groups<V>(m, i, form->group, true, panel.m);
  }
}

}  // namespace nibble
