// A format's row functions over one vector type. The build compiles each format for each ISA as a
// file of its own (cmake/codecs.cmake), from the rows of formats.h.
#pragma once

#include "codec/codec.h"
#include "codec/float_format.h"
#include "codec/format.h"

namespace nibble {

template <class V, class F>
struct RowFunctions {
  static void encode(const float* x, const float* importance, int64_t n, Effort effort,
                     std::byte* row) noexcept {
    if constexpr (F::kDomain == Domain::kFloat) {
      float_row_encode<V, F>(x, n, row);
    } else {
      row_encode<V, F>(x, importance, n, effort, row);
    }
  }
  static void decode(const std::byte* row, int64_t n, float* y) noexcept {
    if constexpr (F::kDomain == Domain::kFloat) {
      float_row_decode<V, F>(row, n, y);
    } else {
      row_decode<F>(row, n, y);
    }
  }
  template <int rows>
  static NIBBLE_INLINE void some_dots(const std::byte* first, int64_t row_bytes,
                                      const ActivationRow& activations, int64_t n, float* y) {
    if constexpr (F::kDomain == Domain::kFloat) {
      float_row_dots<V, F, rows>(first, row_bytes, activations, n, y);
    } else {
      row_dots<V, F, rows>(first, row_bytes, activations, n, y);
    }
  }
  static void dots(const std::byte* first, int64_t row_bytes, int64_t rows,
                   const ActivationRow& activations, int64_t n, float* y) noexcept {
    int64_t r = 0;
    for (; r + V::kDotRows <= rows; r += V::kDotRows)
      some_dots<V::kDotRows>(first + r * row_bytes, row_bytes, activations, n, y + r);
    for (; r < rows; ++r) some_dots<1>(first + r * row_bytes, row_bytes, activations, n, y + r);
  }
  static void unpack(const std::byte* row, int64_t n, const PanelRow& panel) noexcept {
    if constexpr (F::kDomain == Domain::kFloat) {
      float_row_unpack<V, F>(row, n, panel);
    } else {
      row_unpack<V, F>(row, n, panel);
    }
  }
};

template <class V, class F, int weights, int bytes>
constexpr Codec make_codec() {
  static_assert(BlockFormat<F, V> && F::kWeights == weights && F::kBytes == bytes);
  PanelForm panel = {};
  if constexpr (F::kDomain == Domain::kInteger) {
    panel = {F::kGroup, F::kSigned, F::kZero, F::kHasMinimum && F::kZero == 0};
  }
  using Row = RowFunctions<V, F>;
  return {F::kDomain, panel, Row::encode, Row::decode, Row::dots, Row::unpack};
}

}  // namespace nibble
