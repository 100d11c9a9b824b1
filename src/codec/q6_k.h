// q6_k: 256 weights in 210 bytes (6.5625 bits a weight): 16 sub-blocks of 16 with 8-bit scales.
//     0  u8[128]  low 4 bits: of each half of 128 weights, 64 bytes; weights 0-63 in their low,
//     64-127 in their
//                 high halves
//   128  u8[64]   high 2 bits: of each half, 32 bytes; weights 32k + i in bits 2k, 2k + 1 of byte i
//   192  i8[16]   s
//   208  f16      d                                                              w = d * s * (q -
//   32)
#pragma once

#include <cstring>

#include "base/numeric.h"
#include "codec/format.h"
#include "codec/scaled_codes.h"

namespace nibble {

struct Q6_K {
  static constexpr int kWeights = 256;
  static constexpr int kBytes = 210;
  static constexpr Domain kDomain = Domain::kInteger;
  struct Block {
    uint8_t low[128];
    uint8_t high[64];
    int8_t s[16];
    uint16_t d;
  };

  // --- fit ---
  using Params = ScaledCodes<-32, -128>;
  static constexpr int kFitBlocks = 1;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int, Effort effort,
                                Params* fitted) {
    constexpr ScaledCodeSearch kSearches[] = {{{-31.3f, -32.5f, 3, 0, true}, 0, 0},
                                              {{-30.4f, -33.0f, 5, 1, true}, 1, 1},
                                              {{-27.0f, -36.0f, 24, 2, true}, 2, 3}};
    Params::fit<V>(x, importance, search_of(kSearches, effort), fitted);
  }

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params& params, Block& block) {
    uint8_t q[kWeights];
    params.template codes<V>(x, q);
    std::memcpy(block.s, params.scale, sizeof block.s);
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
  static NIBBLE_INLINE void snap(const float* x, const float*, const Params& params, int i,
                                 float* y) {
    *y = params.snap(*x, i);
  }

  // --- dot ---
  static constexpr int kGroup = 16;
  static constexpr bool kSigned = false;
  static constexpr bool kHasMinimum = true;
  static constexpr int kZero = 32;
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

  // --- interleave ---
  static constexpr int kCodeBits = 6;
  static constexpr ScaleForm kScaleForm = ScaleForm::kBytes;
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    StoredScales scales = {block.d, 0, {}, {}};
    std::memcpy(scales.s, block.s, sizeof block.s);
    return scales;
  }
};

}  // namespace nibble
