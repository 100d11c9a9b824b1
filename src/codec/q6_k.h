// q6_k: 256 weights in 210 bytes (6.5625 bits a weight): 16 sub-blocks of 16 with 8-bit scales.
//     0  u8[128]  low 4 bits: of each half of 128 weights, 64 bytes; weights 0-63 in their low,
//     64-127 in their
//                 high halves
//   128  u8[64]   high 2 bits: of each half, 32 bytes; weights 32k + i in bits 2k, 2k + 1 of byte i
//   192  i8[16]   s
//   208  f16      d                                                              w = d * s * (q -
//   32)
#pragma once

#include "base/numeric.h"
#include "codec/fit.h"
#include "codec/format.h"

namespace nibble {

struct Q6_K {
  static constexpr int kWeights = 256;
  static constexpr int kBytes = 210;
  static constexpr Domain kDomain = Domain::kInteger;
  static constexpr int kSubBlocks = 16;
  struct Block {
    uint8_t low[128];
    uint8_t high[64];
    int8_t s[16];
    uint16_t d;
  };

  struct Params {
    uint16_t d;
    int8_t scale[kSubBlocks];
    NIBBLE_INLINE float of(int k) const { return f32_from_f16(d) * static_cast<float>(scale[k]); }
  };

  // --- fit: each sub-block alone, then d, then the integers around each scale ---
  template <class V>
  static NIBBLE_INLINE Params fit(const float* x, const float* importance) {
    float ideal[kSubBlocks];
    for (int k = 0; k < kSubBlocks; ++k) {
      ideal[k] = fit_symmetric<V, 1, 32>(x + 16 * k,
                                         importance == nullptr ? nullptr : importance + 16 * k);
    }
    Params params;
    params.d = f16_from_f32(extreme_of<kSubBlocks>(ideal) / -128.0f);
    for (int k = 0; k < kSubBlocks; ++k) {
      const auto run =
          load_run<V, 1>(x + 16 * k, importance == nullptr ? nullptr : importance + 16 * k);
      params.scale[k] = fit_integer<V>(run, ideal[k], f32_from_f16(params.d));
    }
    return params;
  }
  template <class V>
  static NIBBLE_INLINE int8_t fit_integer(const Run<V, 1>& run, float ideal, float d) {
    const int nearest = d != 0.0f ? static_cast<int>(round_into(ideal / d, -128.0f, 127.0f)) : 0;
    int best = nearest;
    float best_error = INFINITY;
    for (int s = nearest - 1; s <= nearest + 1; ++s) {
      if (s < -128 || s > 127) continue;
      const float error = symmetric_error<V, 1>(run, d * static_cast<float>(s), -32.0f, 31.0f);
      if (error < best_error) {
        best_error = error;
        best = s;
      }
    }
    return static_cast<int8_t>(best);
  }

  // --- pack ---
  static NIBBLE_INLINE float inverse_of(float scale) { return scale != 0.0f ? 1.0f / scale : 0.0f; }
  static NIBBLE_INLINE uint32_t code(float x, float inverse) {
    return static_cast<uint32_t>(static_cast<int>(round_into(x * inverse, -32.0f, 31.0f)) + 32);
  }
  static NIBBLE_INLINE void pack(const float* x, const Params& params, Block& block) {
    uint8_t q[256];
    for (int k = 0; k < kSubBlocks; ++k) {
      const float inverse = inverse_of(params.of(k));
      for (int i = 16 * k; i < 16 * k + 16; ++i) q[i] = static_cast<uint8_t>(code(x[i], inverse));
      block.s[k] = params.scale[k];
    }
    block.d = params.d;
    for (int half = 0; half < 2; ++half) {
      const uint8_t* from = q + 128 * half;
      for (int i = 0; i < 64; ++i) {
        block.low[64 * half + i] = static_cast<uint8_t>((from[i] & 15) | (from[i + 64] & 15) << 4);
      }
      for (int i = 0; i < 32; ++i) {
        block.high[32 * half + i] =
            static_cast<uint8_t>(from[i] >> 4 | (from[i + 32] >> 4) << 2 |
                                 (from[i + 64] >> 4) << 4 | (from[i + 96] >> 4) << 6);
      }
    }
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const float d = f32_from_f16(block.d);
    for (int i = 0; i < kWeights; ++i) {
      const int half = i / 128;
      const int within = i % 128;
      const int low = block.low[64 * half + within % 64] >> (within / 64 * 4) & 15;
      const int high = block.high[32 * half + within % 32] >> (within / 32 * 2) & 3;
      y[i] = d * static_cast<float>(block.s[i / 16]) * static_cast<float>((low | high << 4) - 32);
    }
  }

  // --- snap ---
  static NIBBLE_INLINE float snap(float x, const Params& params, int i) {
    const float scale = params.of(i / 16);
    return scale * static_cast<float>(static_cast<int>(code(x, inverse_of(scale))) - 32);
  }

  // --- dot ---
  static constexpr int kGroup = 16;
  static constexpr bool kSigned = false;
  static constexpr bool kHasMinimum = true;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int, typename V::F32& scale,
                                   typename V::F32& minimum) {
    scale = V::mul(V::load_i8(block->s), V::set1(V::from_f16(block->d)));
    minimum = V::mul(scale, V::set1(32.0f));
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int) {
    constexpr int shift = 4 * (j % 2);
    const uint8_t* bits = block->high + 32 * (j / 2);
    const auto low =
        V::template shift_right<32, shift, shift, 15>(V::load_bytes(block->low + 64 * (j / 2)));
    const auto high = V::template shift_right<32, shift, shift + 2, 3>(V::load_two(bits, bits));
    return V::bit_or(low, V::template shift_left<4>(high));
  }
};

}  // namespace nibble
