// q2_k: 256 weights in 84 bytes (2.625 bits a weight): 16 sub-blocks of 16.
//    0  u8[16]   scales s in the low, minimums m in the high 4 bits, one byte for each sub-block
//   16  u8[64]   q: of each half of 128 weights, 32 bytes; weight 32k + i in bits 2k, 2k + 1 of
//   byte i 80  f16      d 82  f16      dmin                                                   w = d
//   * s * q - dmin * m
#pragma once

#include <cstring>

#include "codec/format.h"
#include "codec/scaled_lines.h"

namespace nibble {

struct Q2_K {
  static constexpr int kWeights = 256;
  static constexpr int kBytes = 84;
  static constexpr Domain kDomain = Domain::kInteger;
  struct Block {
    uint8_t s[16];
    uint8_t q[64];
    uint16_t d;
    uint16_t dmin;
  };

  // --- fit ---
  using Params = ScaledLines<16, 16, 3, 15>;
  static constexpr int kFitBlocks = Params::kFitBlocks;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int blocks, Effort effort,
                                Params* fitted) {
    constexpr ScaledLineSearch kSearches[] = {{{2.4f, 3.0f, 2, 0, 3, 0.4f}, 1, 0},
                                              {{2.0f, 3.5f, 5, 1, 3, 0.4f}, 1, 1},
                                              {{1.2f, 4.2f, 20, 3, 7, 0.25f}, 2, 4}};
    Params::fit<V>(x, importance, blocks, search_of(kSearches, effort), fitted);
  }

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params& params, Block& block) {
    uint8_t q[kWeights];
    params.template codes<V>(x, q);
    for (int k = 0; k < 16; ++k) {
      block.s[k] = static_cast<uint8_t>(params.scale[k] | params.minimum[k] << 4);
    }
    for (int half = 0; half < 2; ++half) {
      const uint8_t* from = q + 128 * half;
      for (int i = 0; i < 32; ++i) {
        block.q[32 * half + i] = static_cast<uint8_t>(from[i] | from[i + 32] << 2 |
                                                      from[i + 64] << 4 | from[i + 96] << 6);
      }
    }
    block.d = params.d;
    block.dmin = params.dmin;
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const float d = f32_from_f16(block.d);
    const float dmin = f32_from_f16(block.dmin);
    for (int i = 0; i < kWeights; ++i) {
      const uint8_t s = block.s[i / 16];
      const int q = block.q[32 * (i / 128) + i % 32] >> (2 * (i / 32 % 4)) & 3;
      y[i] = d * static_cast<float>(s & 15) * static_cast<float>(q) -
             dmin * static_cast<float>(s >> 4);
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
  static constexpr int kZero = 0;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int, typename V::F32& scale,
                                   typename V::F32& minimum) {
    uint32_t s[4];
    std::memcpy(s, block->s, sizeof s);
    constexpr uint32_t kLow = 0x0f0f0f0fu;
    scale = V::mul(V::from_u8(s[0] & kLow, s[1] & kLow, s[2] & kLow, s[3] & kLow),
                   V::set1(V::from_f16(block->d)));
    minimum =
        V::mul(V::from_u8(s[0] >> 4 & kLow, s[1] >> 4 & kLow, s[2] >> 4 & kLow, s[3] >> 4 & kLow),
               V::set1(V::from_f16(block->dmin)));
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int) {
    constexpr int shift = 4 * (j % 2);
    const uint8_t* q = block->q + 32 * (j / 2);
    return V::template shift_right<32, shift, shift + 2, 3>(V::load_two(q, q));
  }

  // --- interleave ---
  static constexpr int kCodeBits = 2;
  static constexpr ScaleForm kScaleForm = ScaleForm::kNibbles;
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    StoredScales scales = {block.d, block.dmin, {}, {}};
    for (int k = 0; k < 16; ++k) {
      scales.s[k] = static_cast<int8_t>(block.s[k] & 15);
      scales.minimum[k] = block.s[k] >> 4;
    }
    return scales;
  }
};

}  // namespace nibble
