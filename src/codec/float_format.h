// Rows of the float formats (f32, f16, bf16). Such a format F says load<V> and store<V>: 16 stored
// weights at p.
#pragma once

#include "codec/format.h"

namespace nibble {

// 16 weights from p of which `count` exist; the other lanes are zero.
template <class V, class F>
NIBBLE_INLINE typename V::F32 load_first_weights(const typename F::Block* p, int count) {
  typename F::Block padded[16] = {};
  for (int i = 0; i < count; ++i) padded[i] = p[i];
  return F::template load<V>(padded);
}

template <class V, class F, int rows>
NIBBLE_INLINE void float_row_dots(const std::byte* first, int64_t row_bytes, const ActivationRow& a,
                                  int64_t n, float* y) {
  const typename F::Block* p[rows];
  typename V::F32 sum[rows];
  for (int r = 0; r < rows; ++r) {
    p[r] = reinterpret_cast<const typename F::Block*>(first + r * row_bytes);
    sum[r] = V::zero();
  }
  constexpr int64_t kLine = 64 / sizeof(typename F::Block);
  int64_t i = 0;
  for (; i + kLine <= n; i += kLine) {
    for (int r = 0; r < rows; ++r) fetch_ahead<64>(p[r] + i);
    for (int64_t k = i; k < i + kLine; k += 16) {
      const auto x = V::load(a.x + k);
      for (int r = 0; r < rows; ++r) sum[r] = V::fma(F::template load<V>(p[r] + k), x, sum[r]);
    }
  }
  for (; i + 16 <= n; i += 16) {
    const auto x = V::load(a.x + i);
    for (int r = 0; r < rows; ++r) sum[r] = V::fma(F::template load<V>(p[r] + i), x, sum[r]);
  }
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    const auto x = V::load_first(a.x + i, rest);
    for (int r = 0; r < rows; ++r)
      sum[r] = V::fma(load_first_weights<V, F>(p[r] + i, rest), x, sum[r]);
  }
  for (int r = 0; r < rows; ++r) y[r] = V::sum(sum[r]);
}

template <class V, class F>
NIBBLE_INLINE void float_row_unpack(const std::byte* row, int64_t n, const PanelRow& panel) {
  const auto* p = reinterpret_cast<const typename F::Block*>(row);
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) V::store(panel.x + i, F::template load<V>(p + i));
  if (i < n) V::store(panel.x + i, load_first_weights<V, F>(p + i, static_cast<int>(n - i)));
}

template <class V, class F>
NIBBLE_INLINE void float_row_encode(const float* x, int64_t n, std::byte* out) {
  auto* p = reinterpret_cast<typename F::Block*>(out);
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) F::template store<V>(p + i, V::load(x + i));
  for (; i < n; ++i) F::template pack<V>(x + i, nullptr, {}, p[i]);
}

template <class V, class F>
NIBBLE_INLINE void float_row_decode(const std::byte* row, int64_t n, float* y) {
  const auto* p = reinterpret_cast<const typename F::Block*>(row);
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) V::store(y + i, F::template load<V>(p + i));
  for (; i < n; ++i) F::decode(p[i], y + i);
}

}  // namespace nibble
