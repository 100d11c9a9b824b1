// Panels of weights times many rows of activations, over V. Each output is summed in the order of
// Codec::dot, so a prompt in one batch gives the same bits as the same tokens one by one.
#pragma once

#include "codec/format.h"

namespace nibble {

template <class V, int j, bool is_signed>
NIBBLE_INLINE typename V::F32 add_panel_dot64(typename V::I8 weights, const int8_t* q,
                                              typename V::F32 scale, typename V::F32 sum) {
  const auto activations = V::load_bytes(q + 64 * j);
  const auto products =
      is_signed ? V::dot_ss(weights, activations) : V::dot_us(weights, activations);
  return V::fma(V::to_f32(products), V::template spread4<j>(scale), sum);
}

template <class V, int rows, int columns, bool is_signed>
struct IntegerTile {
  using F32 = typename V::F32;

  template <int j>
  static NIBBLE_INLINE void step(const PanelRow* panel, const ActivationRow* a, int64_t begin,
                                 const F32 (&scale)[rows][columns], F32 (&sum)[rows][columns]) {
    for (int r = 0; r < rows; ++r) {
      const auto weights = V::load_bytes(panel[r].q + begin + 64 * j);
      for (int c = 0; c < columns; ++c) {
        sum[r][c] =
            add_panel_dot64<V, j, is_signed>(weights, a[c].q + begin, scale[r][c], sum[r][c]);
      }
    }
  }

  static NIBBLE_INLINE void run(const PanelRow* panel, const ActivationRow* a, int64_t n, float* y,
                                int64_t y_stride) {
    F32 sum[rows][columns], offset[rows][columns], scale[rows][columns];
    for (int r = 0; r < rows; ++r) {
      for (int c = 0; c < columns; ++c) sum[r][c] = offset[r][c] = V::zero();
    }
    for (int64_t begin = 0; begin < n; begin += kChunk) {
      for (int c = 0; c < columns; ++c) {
        const auto d = V::twice_low(V::load_low8(a[c].d + begin / 32));
        for (int r = 0; r < rows; ++r) scale[r][c] = V::mul(V::load(panel[r].d + begin / 16), d);
      }
      step<0>(panel, a, begin, scale, sum);
      if (n - begin > 64) step<1>(panel, a, begin, scale, sum);
      if (n - begin > 128) step<2>(panel, a, begin, scale, sum);
      if (n - begin > 192) step<3>(panel, a, begin, scale, sum);
    }
    for (int64_t begin = 0; begin < n; begin += kChunk) {
      for (int c = 0; c < columns; ++c) {
        const auto s = V::load(a[c].s + begin / 16);
        for (int r = 0; r < rows; ++r) {
          offset[r][c] = V::fma(V::load(panel[r].m + begin / 16), s, offset[r][c]);
        }
      }
    }
    for (int r = 0; r < rows; ++r) {
      for (int c = 0; c < columns; ++c)
        y[c * y_stride + r] = V::sum(V::sub(sum[r][c], offset[r][c]));
    }
  }
};

template <class V, int rows, int columns>
struct FloatTile {
  using F32 = typename V::F32;

  static NIBBLE_INLINE void step(const PanelRow* panel, int64_t i, const F32 (&x)[columns],
                                 F32 (&sum)[rows][columns]) {
    for (int r = 0; r < rows; ++r) {
      const auto weights = V::load(panel[r].x + i);
      for (int c = 0; c < columns; ++c) sum[r][c] = V::fma(weights, x[c], sum[r][c]);
    }
  }

  static NIBBLE_INLINE void run(const PanelRow* panel, const ActivationRow* a, int64_t n, float* y,
                                int64_t y_stride) {
    F32 sum[rows][columns], x[columns];
    for (int r = 0; r < rows; ++r) {
      for (int c = 0; c < columns; ++c) sum[r][c] = V::zero();
    }
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
      for (int c = 0; c < columns; ++c) x[c] = V::load(a[c].x + i);
      step(panel, i, x, sum);
    }
    if (i < n) {
      for (int c = 0; c < columns; ++c) x[c] = V::load_first(a[c].x + i, static_cast<int>(n - i));
      step(panel, i, x, sum);
    }
    for (int r = 0; r < rows; ++r) {
      for (int c = 0; c < columns; ++c) y[c * y_stride + r] = V::sum(sum[r][c]);
    }
  }
};

// Covers rows x columns with full tiles, then the rests with narrower ones.
template <class V, template <int, int> class Tile>
NIBBLE_INLINE void tiled(const PanelRow* panel, int rows, const ActivationRow* a, int64_t columns,
                         int64_t n, float* y, int64_t y_stride) {
  constexpr int kRows = V::kTileRows;
  constexpr int kColumns = V::kTileColumns;
  int64_t c = 0;
  for (; c + kColumns <= columns; c += kColumns) {
    int r = 0;
    for (; r + kRows <= rows; r += kRows) {
      Tile<kRows, kColumns>::run(panel + r, a + c, n, y + c * y_stride + r, y_stride);
    }
    for (; r < rows; ++r)
      Tile<1, kColumns>::run(panel + r, a + c, n, y + c * y_stride + r, y_stride);
  }
  for (; c < columns; ++c) {
    int r = 0;
    for (; r + kRows <= rows; r += kRows) {
      Tile<kRows, 1>::run(panel + r, a + c, n, y + c * y_stride + r, y_stride);
    }
    for (; r < rows; ++r) Tile<1, 1>::run(panel + r, a + c, n, y + c * y_stride + r, y_stride);
  }
}

template <class V>
struct Gemm {
  template <int rows, int columns>
  using Floats = FloatTile<V, rows, columns>;
  template <int rows, int columns>
  using Unsigned = IntegerTile<V, rows, columns, false>;
  template <int rows, int columns>
  using Signed = IntegerTile<V, rows, columns, true>;

  template <template <int, int> class Tile>
  static void run(const PanelRow* panel, int rows, const ActivationRow* a, int64_t columns,
                  int64_t n, float* y, int64_t y_stride) noexcept {
    tiled<V, Tile>(panel, rows, a, columns, n, y, y_stride);
  }
};

}  // namespace nibble
