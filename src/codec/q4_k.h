// q4_k: 256 weights in 144 bytes (4.5 bits a weight): 8 sub-blocks of 32 with 6-bit scales and
// minimums.
//    0  f16      d
//    2  f16      dmin
//    4  u8[12]   scales s and minimums m, 6 bits each: for sub-block k < 4 the low 6 bits of byte k
//    and k + 4;
//                for k >= 4 the low (high) 4 bits of byte k + 4, above them the top 2 bits of byte
//                k - 4 (k)
//   16  u8[128]  q: sub-blocks 2j and 2j + 1 in the low and high halves of bytes 32j .. 32j + 31
//                                                                    w = d * s * q - dmin * m
#pragma once

#include <cstring>

#include "base/numeric.h"
#include "codec/fit.h"
#include "codec/format.h"

namespace nibble {

struct Q4_K {
  static constexpr int kWeights = 256;
  static constexpr int kBytes = 144;
  static constexpr Domain kDomain = Domain::kInteger;
  static constexpr int kSubBlocks = 8;
  static constexpr int kTop = 15;  // the largest code
  struct Block {
    uint16_t d;
    uint16_t dmin;
    uint8_t s[12];
    uint8_t q[128];
  };

  struct Params {
    uint16_t d;
    uint16_t dmin;
    uint8_t scale[kSubBlocks];    // 0..63
    uint8_t minimum[kSubBlocks];  // 0..63
    NIBBLE_INLINE Affine of(int k) const {
      return {f32_from_f16(d) * static_cast<float>(scale[k]),
              f32_from_f16(dmin) * static_cast<float>(minimum[k])};
    }
  };

  // --- fit: each sub-block alone, then d and dmin, then the integers around each pair ---
  template <class V>
  static NIBBLE_INLINE Params fit(const float* x, const float* importance) {
    Affine ideal[kSubBlocks];
    float largest_scale = 0.0f;
    float largest_minimum = 0.0f;
    for (int k = 0; k < kSubBlocks; ++k) {
      ideal[k] =
          fit_affine<V, 2, kTop>(x + 32 * k, importance == nullptr ? nullptr : importance + 32 * k);
      largest_scale = ideal[k].scale > largest_scale ? ideal[k].scale : largest_scale;
      largest_minimum = ideal[k].minimum > largest_minimum ? ideal[k].minimum : largest_minimum;
    }
    Params params;
    params.d = f16_from_f32(largest_scale / 63.0f);
    params.dmin = f16_from_f32(largest_minimum / 63.0f);
    for (int k = 0; k < kSubBlocks; ++k) {
      const auto run =
          load_run<V, 2>(x + 32 * k, importance == nullptr ? nullptr : importance + 32 * k);
      fit_integers<V>(run, ideal[k], k, params);
    }
    return params;
  }
  static NIBBLE_INLINE int nearest_integer(float value, float unit) {
    return unit > 0.0f ? static_cast<int>(round_into(value / unit, 0.0f, 63.0f)) : 0;
  }
  template <class V>
  static NIBBLE_INLINE void fit_integers(const Run<V, 2>& run, Affine ideal, int k,
                                         Params& params) {
    const float d = f32_from_f16(params.d);
    const float dmin = f32_from_f16(params.dmin);
    const int scale = nearest_integer(ideal.scale, d);
    const int minimum = nearest_integer(ideal.minimum, dmin);
    float best_error = INFINITY;
    for (int s = scale > 0 ? scale - 1 : 0; s <= scale + 1 && s <= 63; ++s) {
      for (int m = minimum > 0 ? minimum - 1 : 0; m <= minimum + 1 && m <= 63; ++m) {
        const Affine fit = {d * static_cast<float>(s), dmin * static_cast<float>(m)};
        const float error = affine_error<V, 2>(run, fit, kTop);
        if (error < best_error) {
          best_error = error;
          params.scale[k] = static_cast<uint8_t>(s);
          params.minimum[k] = static_cast<uint8_t>(m);
        }
      }
    }
  }

  // --- pack ---
  static NIBBLE_INLINE uint32_t code(float x, Affine fit, float inverse) {
    return static_cast<uint32_t>(round_into((x + fit.minimum) * inverse, 0.0f, kTop));
  }
  static NIBBLE_INLINE float inverse_of(Affine fit) {
    return fit.scale > 0.0f ? 1.0f / fit.scale : 0.0f;
  }
  static NIBBLE_INLINE void pack(const float* x, const Params& params, Block& block) {
    block.d = params.d;
    block.dmin = params.dmin;
    pack_scales(params, block);
    for (int j = 0; j < kSubBlocks / 2; ++j) {
      const Affine low = params.of(2 * j);
      const Affine high = params.of(2 * j + 1);
      const float inverse_low = inverse_of(low);
      const float inverse_high = inverse_of(high);
      for (int i = 0; i < 32; ++i) {
        block.q[32 * j + i] =
            static_cast<uint8_t>(code(x[64 * j + i], low, inverse_low) |
                                 code(x[64 * j + 32 + i], high, inverse_high) << 4);
      }
    }
  }
  static NIBBLE_INLINE void pack_scales(const Params& params, Block& block) {
    for (int k = 0; k < 4; ++k) {
      const int s = params.scale[k + 4];
      const int m = params.minimum[k + 4];
      block.s[k] = static_cast<uint8_t>(params.scale[k] | (s >> 4) << 6);
      block.s[k + 4] = static_cast<uint8_t>(params.minimum[k] | (m >> 4) << 6);
      block.s[k + 8] = static_cast<uint8_t>((s & 15) | (m & 15) << 4);
    }
  }

  // --- decode ---
  static NIBBLE_INLINE Params unpack_scales(const Block& block) {
    Params params;
    params.d = block.d;
    params.dmin = block.dmin;
    for (int k = 0; k < 4; ++k) {
      params.scale[k] = block.s[k] & 63;
      params.minimum[k] = block.s[k + 4] & 63;
      params.scale[k + 4] = static_cast<uint8_t>((block.s[k + 8] & 15) | (block.s[k] >> 6) << 4);
      params.minimum[k + 4] =
          static_cast<uint8_t>((block.s[k + 8] >> 4) | (block.s[k + 4] >> 6) << 4);
    }
    return params;
  }
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const Params params = unpack_scales(block);
    for (int j = 0; j < kSubBlocks / 2; ++j) {
      const Affine low = params.of(2 * j);
      const Affine high = params.of(2 * j + 1);
      for (int i = 0; i < 32; ++i) {
        const uint8_t q = block.q[32 * j + i];
        y[64 * j + i] = low.scale * static_cast<float>(q & 15) - low.minimum;
        y[64 * j + 32 + i] = high.scale * static_cast<float>(q >> 4) - high.minimum;
      }
    }
  }

  // --- snap ---
  static NIBBLE_INLINE float snap(float x, const Params& params, int i) {
    const Affine fit = params.of(i / 32);
    return fit.scale * static_cast<float>(code(x, fit, inverse_of(fit))) - fit.minimum;
  }

  // --- dot ---
  static constexpr int kGroup = 32;
  static constexpr bool kSigned = false;
  static constexpr bool kHasMinimum = true;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int, typename V::F32& scale,
                                   typename V::F32& minimum) {
    uint32_t s[3];
    std::memcpy(s, block->s, sizeof s);
    const uint32_t scale_high = (s[2] & 0x0f0f0f0fu) | (s[0] >> 2 & 0x30303030u);
    const uint32_t minimum_high = (s[2] >> 4 & 0x0f0f0f0fu) | (s[1] >> 2 & 0x30303030u);
    const auto both = V::from_u8(s[0] & 0x3f3f3f3fu, scale_high, s[1] & 0x3f3f3f3fu, minimum_high);
    scale = V::mul(both, V::halves(V::from_f16(block->d), V::from_f16(block->dmin)));
    minimum = V::twice_high(scale);
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int) {
    const uint8_t* q = block->q + 32 * j;
    return V::template shift_right<32, 0, 4, 15>(V::load_two(q, q));
  }
};

}  // namespace nibble
