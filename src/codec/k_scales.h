// What q4_k and q5_k share: 8 sub-blocks of 32 weights with 6-bit scales s and minimums m under two
// f16 factors,
//   w = d * s * q - dmin * m,   q in 0..kTop
// and the 12 bytes that hold s and m: for sub-block k < 4 the low 6 bits of byte k and k + 4; for k
// >= 4 the low (high) 4 bits of byte k + 4, above them the top 2 bits of byte k - 4 (k).
#pragma once

#include <cmath>
#include <cstring>

#include "base/numeric.h"
#include "codec/fit.h"

namespace nibble {

template <int kTop>
struct KScales {
  static constexpr int kSubBlocks = 8;

  uint16_t d;
  uint16_t dmin;
  uint8_t scale[kSubBlocks];    // 0..63
  uint8_t minimum[kSubBlocks];  // 0..63

  NIBBLE_INLINE Affine of(int k) const {
    return {f32_from_f16(d) * static_cast<float>(scale[k]),
            f32_from_f16(dmin) * static_cast<float>(minimum[k])};
  }

  // --- fit: each sub-block alone, then d and dmin, then the integers around each pair ---
  template <class V>
  static NIBBLE_INLINE KScales fit(const float* x, const float* importance) {
    Affine ideal[kSubBlocks];
    float largest_scale = 0.0f;
    float largest_minimum = 0.0f;
    for (int k = 0; k < kSubBlocks; ++k) {
      ideal[k] =
          fit_affine<V, 2, kTop>(x + 32 * k, importance == nullptr ? nullptr : importance + 32 * k);
      largest_scale = ideal[k].scale > largest_scale ? ideal[k].scale : largest_scale;
      largest_minimum = ideal[k].minimum > largest_minimum ? ideal[k].minimum : largest_minimum;
    }
    KScales result;
    result.d = f16_from_f32(largest_scale / 63.0f);
    result.dmin = f16_from_f32(largest_minimum / 63.0f);
    for (int k = 0; k < kSubBlocks; ++k) {
      const auto run =
          load_run<V, 2>(x + 32 * k, importance == nullptr ? nullptr : importance + 32 * k);
      result.template fit_integers<V>(run, ideal[k], k);
    }
    return result;
  }
  static NIBBLE_INLINE int nearest_integer(float value, float unit) {
    return unit > 0.0f ? static_cast<int>(round_into(value / unit, 0.0f, 63.0f)) : 0;
  }
  template <class V>
  NIBBLE_INLINE void fit_integers(const Run<V, 2>& run, Affine ideal, int k) {
    const float unit = f32_from_f16(d);
    const float minimum_unit = f32_from_f16(dmin);
    const int nearest_s = nearest_integer(ideal.scale, unit);
    const int nearest_m = nearest_integer(ideal.minimum, minimum_unit);
    float best_error = INFINITY;
    for (int s = nearest_s > 0 ? nearest_s - 1 : 0; s <= nearest_s + 1 && s <= 63; ++s) {
      for (int m = nearest_m > 0 ? nearest_m - 1 : 0; m <= nearest_m + 1 && m <= 63; ++m) {
        const Affine candidate = {unit * static_cast<float>(s),
                                  minimum_unit * static_cast<float>(m)};
        const float error = affine_error<V, 2>(run, candidate, kTop);
        if (error < best_error) {
          best_error = error;
          scale[k] = static_cast<uint8_t>(s);
          minimum[k] = static_cast<uint8_t>(m);
        }
      }
    }
  }

  // --- pack ---
  static NIBBLE_INLINE float inverse_of(Affine fit) {
    return fit.scale > 0.0f ? 1.0f / fit.scale : 0.0f;
  }
  static NIBBLE_INLINE uint32_t code(float x, Affine fit, float inverse) {
    return static_cast<uint32_t>(round_into((x + fit.minimum) * inverse, 0.0f, kTop));
  }
  // The codes of all 256 weights.
  NIBBLE_INLINE void codes(const float* x, uint8_t* q) const {
    for (int k = 0; k < kSubBlocks; ++k) {
      const Affine fit = of(k);
      const float inverse = inverse_of(fit);
      for (int i = 32 * k; i < 32 * k + 32; ++i)
        q[i] = static_cast<uint8_t>(code(x[i], fit, inverse));
    }
  }
  NIBBLE_INLINE void pack(uint8_t* bytes) const {
    for (int k = 0; k < 4; ++k) {
      const int s = scale[k + 4];
      const int m = minimum[k + 4];
      bytes[k] = static_cast<uint8_t>(scale[k] | (s >> 4) << 6);
      bytes[k + 4] = static_cast<uint8_t>(minimum[k] | (m >> 4) << 6);
      bytes[k + 8] = static_cast<uint8_t>((s & 15) | (m & 15) << 4);
    }
  }

  // --- decode ---
  static NIBBLE_INLINE KScales unpack(uint16_t d, uint16_t dmin, const uint8_t* bytes) {
    KScales result;
    result.d = d;
    result.dmin = dmin;
    for (int k = 0; k < 4; ++k) {
      result.scale[k] = bytes[k] & 63;
      result.minimum[k] = bytes[k + 4] & 63;
      result.scale[k + 4] = static_cast<uint8_t>((bytes[k + 8] & 15) | (bytes[k] >> 6) << 4);
      result.minimum[k + 4] = static_cast<uint8_t>((bytes[k + 8] >> 4) | (bytes[k + 4] >> 6) << 4);
    }
    return result;
  }

  // --- snap ---
  NIBBLE_INLINE float snap(float x, int i) const {
    const Affine fit = of(i / 32);
    return fit.scale * static_cast<float>(code(x, fit, inverse_of(fit))) - fit.minimum;
  }

  // --- dot: 8 scales in the low lanes, and the minimums, each for two groups of 16 ---
  template <class V>
  static NIBBLE_INLINE void load(uint16_t d, uint16_t dmin, const uint8_t* bytes,
                                 typename V::F32& scales, typename V::F32& minimums) {
    uint32_t s[3];
    std::memcpy(s, bytes, sizeof s);
    const uint32_t scale_high = (s[2] & 0x0f0f0f0fu) | (s[0] >> 2 & 0x30303030u);
    const uint32_t minimum_high = (s[2] >> 4 & 0x0f0f0f0fu) | (s[1] >> 2 & 0x30303030u);
    const auto both = V::from_u8(s[0] & 0x3f3f3f3fu, scale_high, s[1] & 0x3f3f3f3fu, minimum_high);
    scales = V::mul(both, V::halves(V::from_f16(d), V::from_f16(dmin)));
    minimums = V::twice_high(scales);
  }
};

}  // namespace nibble
