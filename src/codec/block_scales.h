// What the formats with 32 weights to a scale share: q4_0 and q5_0 (a scale), q4_1 and q5_1 (a
// scale and a minimum). Their Params.
#pragma once

#include "base/numeric.h"
#include "codec/fit.h"

namespace nibble {

// w = d * code, code in [kLow, -kLow - 1]; stored as code - kLow.
template <int kLow>
struct BlockScale {
  static constexpr float kHigh = -kLow - 1;
  uint16_t d;
  float inverse;

  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int blocks,
                                const SymmetricSearch& search, BlockScale* fitted) {
    Tile<V, 32> tile;
    load_tile<V, 32>(x, importance, blocks, tile);
    const Lanes<V> scale(fit_symmetric<V, 32>(tile, kLow, kHigh, search));
    for (int b = 0; b < blocks; ++b) {
      const uint16_t d = f16_from_f32(scale[b]);
      fitted[b] = {d, inverse_or_zero(f32_from_f16(d))};
    }
  }
  template <class V>
  NIBBLE_INLINE void codes(const float* x, uint8_t* q) const {
    round_codes<V>(x, 32, inverse, 0.0f, kLow, kHigh, -kLow, q);
  }
  NIBBLE_INLINE float snap(float x) const {
    return round_code(x, inverse, 0.0f, kLow, kHigh) * f32_from_f16(d);
  }
};

// w = d * code + m, code in [0, kTop].
template <int kTop>
struct BlockLine {
  uint16_t d;
  uint16_t m;
  float inverse;
  float offset;

  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int blocks,
                                const AffineSearch& search, BlockLine* fitted) {
    Tile<V, 32> tile;
    load_tile<V, 32>(x, importance, blocks, tile);
    const auto best = fit_affine<V, 32, Minimum::kAny>(tile, kTop, search);
    const Lanes<V> scale(best.scale);
    const Lanes<V> minimum(best.minimum);
    for (int b = 0; b < blocks; ++b) {
      const uint16_t d = f16_from_f32(scale[b]);
      const uint16_t m = f16_from_f32(-minimum[b]);
      const float inverse = inverse_or_zero(f32_from_f16(d));
      fitted[b] = {d, m, inverse, -f32_from_f16(m) * inverse};
    }
  }
  template <class V>
  NIBBLE_INLINE void codes(const float* x, uint8_t* q) const {
    round_codes<V>(x, 32, inverse, offset, 0.0f, kTop, 0.0f, q);
  }
  NIBBLE_INLINE float snap(float x) const {
    return round_code(x, inverse, offset, 0.0f, kTop) * f32_from_f16(d) + f32_from_f16(m);
  }
};

}  // namespace nibble
