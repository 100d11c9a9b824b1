// q3_k: 256 weights in 110 bytes (3.4375 bits a weight): 16 sub-blocks of 16 with 6-bit scales.
//    0  u8[32]   h: bit k of byte i is bit 2 of weight 32k + i
//   32  u8[64]   low 2 bits: of each half of 128 weights, 32 bytes; weight 32k + i in bits 2k,
//                2k + 1 of byte i
//   96  u8[12]   s: of sub-blocks 0-7 the low 4 bits in the low, of 8-15 in the high halves of
//   bytes
//                0-7; the high 2 bits of sub-block k in bits 2(k / 4), 2(k / 4) + 1 of byte 8 + k %
//                4
//  108  f16      d                                                   w = d * (s - 32) * (q - 4)
#pragma once

#include <cstring>

#include "codec/format.h"
#include "codec/scaled_codes.h"

namespace nibble {

struct Q3_K {
  static constexpr int kWeights = 256;
  static constexpr int kBytes = 110;
  static constexpr Domain kDomain = Domain::kInteger;
  struct Block {
    uint8_t h[32];
    uint8_t q[64];
    uint8_t s[12];
    uint16_t d;
  };

  // --- fit ---
  using Params = ScaledCodes<-4, -32>;
  static constexpr int kFitBlocks = 1;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int, Effort effort,
                                Params* fitted) {
    constexpr ScaledCodeSearch kSearches[] = {{{-3.4f, -4.6f, 4, 0}, 1, 0},
                                              {{-3.0f, -4.8f, 6, 1, true}, 1, 1},
                                              {{-2.0f, -6.4f, 40, 2, true}, 3, 4}};
    Params::fit<V>(x, importance, search_of(kSearches, effort), fitted);
  }

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params& params, Block& block) {
    uint8_t q[kWeights];
    params.template codes<V>(x, q);
    for (int i = 0; i < 32; ++i) {
      int high = 0;
      for (int k = 0; k < 8; ++k) high |= (q[32 * k + i] >> 2) << k;
      block.h[i] = static_cast<uint8_t>(high);
    }
    for (int half = 0; half < 2; ++half) {
      const uint8_t* from = q + 128 * half;
      for (int i = 0; i < 32; ++i) {
        block.q[32 * half + i] =
            static_cast<uint8_t>((from[i] & 3) | (from[i + 32] & 3) << 2 | (from[i + 64] & 3) << 4 |
                                 (from[i + 96] & 3) << 6);
      }
    }
    std::memset(block.s, 0, sizeof block.s);
    for (int k = 0; k < 16; ++k) {
      const int s = params.scale[k] + 32;
      block.s[k % 8] |= static_cast<uint8_t>((s & 15) << (k / 8 * 4));
      block.s[8 + k % 4] |= static_cast<uint8_t>((s >> 4) << (k / 4 * 2));
    }
    block.d = params.d;
  }

  // --- decode ---
  static NIBBLE_INLINE int scale(const Block& block, int k) {
    const int low = block.s[k % 8] >> (k / 8 * 4) & 15;
    const int high = block.s[8 + k % 4] >> (k / 4 * 2) & 3;
    return (low | high << 4) - 32;
  }
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const float d = f32_from_f16(block.d);
    for (int i = 0; i < kWeights; ++i) {
      const int low = block.q[32 * (i / 128) + i % 32] >> (2 * (i / 32 % 4)) & 3;
      const int high = block.h[i % 32] >> (i / 32) & 1;
      y[i] =
          d * static_cast<float>(scale(block, i / 16)) * static_cast<float>((low | high << 2) - 4);
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
  static constexpr int kZero = 4;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int, typename V::F32& scale,
                                   typename V::F32& minimum) {
    uint32_t s[3];
    std::memcpy(s, block->s, sizeof s);
    constexpr uint32_t kLow = 0x0f0f0f0fu;
    constexpr uint32_t kHigh = 0x30303030u;
    const auto whole =
        V::from_u8((s[0] & kLow) | (s[2] << 4 & kHigh), (s[1] & kLow) | (s[2] << 2 & kHigh),
                   (s[0] >> 4 & kLow) | (s[2] & kHigh), (s[1] >> 4 & kLow) | (s[2] >> 2 & kHigh));
    scale = V::mul(V::sub(whole, V::set1(32.0f)), V::set1(V::from_f16(block->d)));
    minimum = V::mul(scale, V::set1(4.0f));
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int) {
    constexpr int shift = 4 * (j % 2);
    const uint8_t* q = block->q + 32 * (j / 2);
    const auto low = V::template shift_right<32, shift, shift + 2, 3>(V::load_two(q, q));
    const auto high =
        V::template shift_right<32, 2 * j, 2 * j + 1, 1>(V::load_two(block->h, block->h));
    return V::bit_or(low, V::template shift_left<2>(high));
  }

  // --- interleave ---
  static constexpr int kCodeBits = 3;
  static constexpr ScaleForm kScaleForm = ScaleForm::kBytes;
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    StoredScales scales = {block.d, 0, {}, {}};
    for (int k = 0; k < 16; ++k) scales.s[k] = static_cast<int8_t>(scale(block, k));
    return scales;
  }
};

}  // namespace nibble
