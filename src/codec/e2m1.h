// What mxfp4 and nvfp4 share: 4-bit floats of a sign, 2 bits of exponent and 1 of mantissa (E2M1),
// kept doubled so that they are integers, and the error under scales that a format can store.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "codec/fit.h"

namespace nibble {

struct E2M1 {
  // Twice the value of each code; bit 3 is the sign (OCP Microscaling Formats 1.0; the code of -0
  // is 0 here, as in ggml).
  static constexpr int8_t kValues[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
  static NIBBLE_INLINE const uint8_t* bytes() { return reinterpret_cast<const uint8_t*>(kValues); }

  // The code nearest to magnitudes: 0..4 are whole steps, 4, 6, 8 steps of two, 12 one of four, so
  // the nearest code is the rounded lowest of three lines, and its value the highest of three.
  template <class V>
  static NIBBLE_INLINE typename V::F32 index(typename V::F32 magnitude) {
    const auto by_2 = V::fma(magnitude, V::set1(0.5f), V::set1(2.0f));
    const auto by_4 = V::fma(magnitude, V::set1(0.25f), V::set1(4.0f));
    return round_into<V>(V::min(V::min(magnitude, by_2), by_4), 0.0f, 7.0f);
  }
  template <class V>
  static NIBBLE_INLINE typename V::F32 value(typename V::F32 index) {
    const auto by_2 = V::fma(index, V::set1(2.0f), V::set1(-4.0f));
    const auto by_4 = V::fma(index, V::set1(4.0f), V::set1(-16.0f));
    return V::max(V::max(index, by_2), by_4);
  }
  // The codes of 16 weights, as numbers.
  template <class V>
  static NIBBLE_INLINE typename V::F32 codes(const float* x, float inverse) {
    const auto scaled = V::mul(V::load(x), V::set1(inverse));
    const auto i = index<V>(V::abs(scaled));
    const auto is_negative = V::greater(V::zero(), V::mul(scaled, i));  // no code for -0
    return V::select(is_negative, V::add(i, V::set1(8.0f)), i);
  }
  // The value of the code that a weight gets.
  static NIBBLE_INLINE float nearest(float x) {
    const float magnitude = std::fabs(x);
    const float by_2 = std::fma(magnitude, 0.5f, 2.0f);
    const float by_4 = std::fma(magnitude, 0.25f, 4.0f);
    const float index = std::nearbyint(std::min({magnitude, by_2, by_4, 7.0f}));
    const float value = kValues[static_cast<int>(index)];
    return x < 0.0f ? -value : value;
  }
};

// The error under given scales, for a tile of magnitudes.
template <class V, int n>
NIBBLE_INLINE typename V::F32 e2m1_error(const Tile<V, n>& magnitudes, typename V::F32 scale) {
  const auto inverse = inverse_or_zero<V>(scale);
  const auto minus_scale = V::sub(V::zero(), scale);
  auto error = V::zero();
  for (int i = 0; i < n; ++i) {
    const auto value = E2M1::value<V>(E2M1::index<V>(V::mul(magnitudes.x[i], inverse)));
    const auto off = V::fma(minus_scale, value, magnitudes.x[i]);
    error = V::fma(V::mul(magnitudes.w[i], off), off, error);
  }
  return error;
}

// Makes weights magnitudes; returns each lane's largest.
template <class V, int n>
NIBBLE_INLINE typename V::F32 drop_signs(Tile<V, n>& tile) {
  auto largest = V::zero();
  for (int i = 0; i < n; ++i) {
    tile.x[i] = V::abs(tile.x[i]);
    largest = V::max(tile.x[i], largest);
  }
  return largest;
}

}  // namespace nibble
