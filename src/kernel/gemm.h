// Panels of weights times tiles of activations (panel.h), over V. Each output is one sum over the
// groups of its row in their order, so its bits depend neither on the ISA nor on what else is in
// the batch.
#pragma once

#include "codec/format.h"
#include "kernel/panel.h"

namespace nibble {

// The part of a pair of panels times a tile of `width` columns whose sums stay in the registers of
// V from the first weight to the last (stored after each group they cost 8 to 30 % of the speed):
// 24 vectors in 32 registers of 16 lanes, 4 in fewer or narrower ones. An integer product has two
// sums, that of its group and that of its row.
template <class V, int width, int sums_of_product>
struct RegisterTile {
  static constexpr bool kIsWide = V::kDotRows >= 4;
  static constexpr int kPanels = kIsWide ? kPanelPair : 1;
  static constexpr int divisor(int most) {
    int columns = most < width ? most : width;
    while (width % columns != 0) --columns;
    return columns;
  }
  static constexpr int kColumns = divisor((kIsWide ? 12 : 4) / sums_of_product);
};

// The integer sums of one group (16 or 32 activations) times some panels and columns of a tile.
template <class V, int panels, int columns, int width, int group>
struct GroupSums {
  typename V::I32 sum[panels][columns];

  NIBBLE_INLINE GroupSums(const uint8_t* const* weights, const int8_t* activations,
                          const int32_t* start) {
#pragma GCC unroll 16
    for (int c = 0; c < columns; ++c) {
      for (int p = 0; p < panels; ++p) sum[p][c] = V::set1_i32(start[c]);
    }
#pragma GCC unroll 8
    for (int k = 0; k < group / 4; ++k) {
      typename V::I8 w[panels];
      for (int p = 0; p < panels; ++p) w[p] = V::load_bytes(weights[p] + 64 * k);
#pragma GCC unroll 16
      for (int c = 0; c < columns; ++c) {
        const auto a = V::broadcast4(activations + 4 * (k * width + c));
        for (int p = 0; p < panels; ++p) sum[p][c] = V::add_panel_dot(sum[p][c], w[p], a);
      }
    }
  }
};

// The same sums by products of 2 rows with 2 columns, 8 numbers of each.
template <class V, int panels, int columns, int width, int group>
requires MultipliesMatrices<V>
struct GroupSums<V, panels, columns, width, group> {
  static_assert(columns % 2 == 0 || width == 1);
  static constexpr int kPairs = (columns + 1) / 2;
  typename V::I32 sum[panels][columns];

  NIBBLE_INLINE GroupSums(const uint8_t* const* weights, const int8_t* activations,
                          const int32_t* start) {
    typename V::I32 low[panels][kPairs], high[panels][kPairs];  // rows 0-7, 8-15
#pragma GCC unroll 8
    for (int c = 0; c < kPairs; ++c) {
      const auto both = V::set2_i32(start[2 * c], start[width == 1 ? 0 : 2 * c + 1]);
      for (int p = 0; p < panels; ++p) low[p][c] = high[p][c] = both;
    }
#pragma GCC unroll 8
    for (int k = 0; k < group / 8; ++k) {
      const int8_t* from = activations + 8 * k * width;
#pragma GCC unroll 8
      for (int c = 0; c < kPairs; ++c) {
        const auto a = width == 1 ? V::same_column(from)
                                  : V::two_columns(from + 8 * c, from + 8 * c + 4 * width);
        for (int p = 0; p < panels; ++p) {
          const uint8_t* w = weights[p] + 128 * k;
          low[p][c] = V::add_matrix_products(low[p][c], V::load_bytes(w), a);
          high[p][c] = V::add_matrix_products(high[p][c], V::load_bytes(w + 64), a);
        }
      }
    }
#pragma GCC unroll 16
    for (int c = 0; c < columns; ++c) {
      for (int p = 0; p < panels; ++p) {
        const auto &rows = low[p][c / 2], &more = high[p][c / 2];
        sum[p][c] = c % 2 == 0 ? V::first_column(rows, more) : V::second_column(rows, more);
      }
    }
  }
};

// sums[column][row] of some panels and columns.
template <class V, int panels, int columns>
NIBBLE_INLINE void store_sums(const typename V::F32 (&from)[panels][columns], float* sums) {
  for (int c = 0; c < columns; ++c) {
    for (int p = 0; p < panels; ++p) V::store(sums + (c * kPanelPair + p) * kPanelRows, from[p][c]);
  }
}

// The part of a tile from `column` on.
template <class V, int panels, int columns, int width, int group, bool has_minimum>
NIBBLE_INLINE void integer_part(const WeightPanel* panel, const ActivationTile& tile, int column,
                                int64_t n, float* sums) {
  const uint8_t* q[panels];
  for (int p = 0; p < panels; ++p) q[p] = panel[p].q;
  const int8_t* a = tile.q + 4 * column;
  const float* d = tile.d + column;
  typename V::F32 sum[panels][columns];
  for (auto& of_panel : sum) {
    for (auto& s : of_panel) s = V::zero();
  }
  for (int64_t g = 0; g < n / group; ++g) {
    const int64_t at = g * width + column;
    const GroupSums<V, panels, columns, width, group> products(q, a, tile.start + at);
    typename V::F32 scale[panels], base[panels], minimum[panels];
    for (int p = 0; p < panels; ++p) {
      scale[p] = V::load(panel[p].d + g * kPanelRows);
      base[p] = scaled_base<V>(scale[p]);
      if constexpr (has_minimum) minimum[p] = V::load(panel[p].m + g * kPanelRows);
      q[p] += kPanelRows * group;
    }
#pragma GCC unroll 16
    for (int c = 0; c < columns; ++c) {
      for (int p = 0; p < panels; ++p) {
        const auto scaled = scaled_sum<V>(products.sum[p][c], scale[p], base[p]);
        sum[p][c] = V::fma(scaled, V::set1(d[c]), sum[p][c]);
        if constexpr (has_minimum)
          sum[p][c] = V::fma(minimum[p], V::set1(tile.s[at + c]), sum[p][c]);
      }
    }
    a += group * width;
    if (group == 32 || g % 2 == 1) d += width;
  }
  store_sums<V>(sum, sums);
}

template <class V, int width, int group, bool has_minimum>
[[gnu::noinline]] void integer_tile(const WeightPanel* panels, const ActivationTile& tile,
                                    int64_t n, float* sums) {
  using Part = RegisterTile<V, width, 2>;  // of the group and of the row
  for (int p = 0; p < kPanelPair; p += Part::kPanels) {
    for (int column = 0; column < width; column += Part::kColumns) {
      integer_part<V, Part::kPanels, Part::kColumns, width, group, has_minimum>(
          panels + p, tile, column, n, sums + (column * kPanelPair + p) * kPanelRows);
    }
  }
}

template <class V, int panels, int columns, int width>
NIBBLE_INLINE void float_part(const WeightPanel* panel, const ActivationTile& tile, int column,
                              int64_t n, float* sums) {
  typename V::F32 sum[panels][columns];
  for (auto& of_panel : sum) {
    for (auto& s : of_panel) s = V::zero();
  }
  const float* x[panels];
  for (int p = 0; p < panels; ++p) x[p] = panel[p].x;
  for (int64_t i = 0; i < n; ++i) {
    typename V::F32 w[panels];
    for (int p = 0; p < panels; ++p) w[p] = V::load(x[p] + kPanelRows * i);
#pragma GCC unroll 16
    for (int c = 0; c < columns; ++c) {
      const auto a = V::set1(tile.x[i * width + column + c]);
      for (int p = 0; p < panels; ++p) sum[p][c] = V::fma(w[p], a, sum[p][c]);
    }
  }
  store_sums<V>(sum, sums);
}

template <class V, int width>
[[gnu::noinline]] void float_tile(const WeightPanel* panels, const ActivationTile& tile, int64_t n,
                                  float* sums) {
  using Part = RegisterTile<V, width, 1>;
  for (int p = 0; p < kPanelPair; p += Part::kPanels) {
    for (int column = 0; column < width; column += Part::kColumns) {
      float_part<V, Part::kPanels, Part::kColumns, width>(
          panels + p, tile, column, n, sums + (column * kPanelPair + p) * kPanelRows);
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
      for (int c = 0; c < tile.columns; ++c) {
        __builtin_prefetch(y + c * y_stride + first, 1);
        __builtin_prefetch(y + c * y_stride + first + kPanelRows, 1);
      }
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

// 16 fours of columns to what a panel has.
template <class V>
NIBBLE_INLINE void finish_fours(bool is_signed, uint8_t* fours) {
  for (uint8_t* to = fours; to < fours + 64 * 16; to += 128) {
    const auto first = V::load_bytes(to), second = V::load_bytes(to + 64);
    store_fours<V>(to, is_signed ? V::panel_bytes(first) : first,
                   is_signed ? V::panel_bytes(second) : second);
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
    if (form->is_signed || MultipliesMatrices<V>) finish_fours<V>(form->is_signed, to);
  }
  for (int64_t i = 0; i < n / 16; i += 16) {
    transpose_groups<V>(d, i, form->group, false, panel.d);
    if (form->has_minimum) transpose_groups<V>(m, i, form->group, true, panel.m);
  }
}

}  // namespace nibble
