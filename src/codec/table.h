// All formats' row functions compiled over one vector type. Included by table_ISA.cc only.
#pragma once

#include "codec/bf16.h"
#include "codec/codec.h"
#include "codec/f16.h"
#include "codec/f32.h"
#include "codec/q4_0.h"
#include "codec/q4_k.h"
#include "codec/q5_0.h"
#include "codec/q5_1.h"
#include "codec/q5_k.h"
#include "codec/q6_k.h"
#include "codec/q8_0.h"

namespace nibble {

inline constexpr int kFormatCount = 0
#define NIBBLE_ROW(enumerator, id, name, type, weights, bytes, fallback) +1
    NIBBLE_FORMATS(NIBBLE_ROW)
#undef NIBBLE_ROW
    ;

struct CodecTable {
  Codec codecs[kFormatCount];  // in the order of the list
};

extern const CodecTable kCodecTable_scalar;
extern const CodecTable kCodecTable_avx2;
extern const CodecTable kCodecTable_avx512;

template <class V, class F>
struct RowFunctions {
  static void encode(const float* x, const float* importance, int64_t n, std::byte* row) noexcept {
    if constexpr (F::kDomain == Domain::kFloat) {
      float_row_encode<V, F>(x, n, row);
    } else {
      row_encode<V, F>(x, importance, n, row);
    }
  }
  static void decode(const std::byte* row, int64_t n, float* y) noexcept {
    if constexpr (F::kDomain == Domain::kFloat) {
      float_row_decode<V, F>(row, n, y);
    } else {
      row_decode<F>(row, n, y);
    }
  }
  static float dot(const std::byte* row, const ActivationRow& activations, int64_t n) noexcept {
    if constexpr (F::kDomain == Domain::kFloat) {
      return float_row_dot<V, F>(row, activations, n);
    } else {
      return row_dot<V, F>(row, activations, n);
    }
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
  bool is_signed = false;
  if constexpr (F::kDomain == Domain::kInteger) is_signed = F::kSigned;
  using Row = RowFunctions<V, F>;
  return {F::kDomain, is_signed, Row::encode, Row::decode, Row::dot, Row::unpack};
}

template <class V>
constexpr CodecTable make_codec_table() {
  return {{
#define NIBBLE_ROW(enumerator, id, name, type, weights, bytes, fallback) \
  make_codec<V, type, weights, bytes>(),
      NIBBLE_FORMATS(NIBBLE_ROW)
#undef NIBBLE_ROW
  }};
}

}  // namespace nibble
