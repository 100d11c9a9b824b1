// tq2_0: 256 weights in 66 bytes (2.0625 bits a weight), ternary.
//    0  u8[64]   q: of each half of 128 weights, 32 bytes; weight 32k + i in bits 2k, 2k + 1 of
//                byte i
//   64  f16      d                                    w = d * (q - 1), q in 0..2 (3 decodes as 2 d)
#pragma once

#include "base/numeric.h"
#include "codec/format.h"
#include "codec/ternary.h"

namespace nibble {

struct TQ2_0 {
  static constexpr int kWeights = 256;
  static constexpr int kBytes = 66;
  static constexpr Domain kDomain = Domain::kInteger;
  struct Block {
    uint8_t q[64];
    uint16_t d;
  };

  // --- fit ---
  using Params = Ternary;
  static constexpr int kFitBlocks = 1;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int, Effort effort,
                                Params* fitted) {
    constexpr TernarySearch kSearches[] = {
        {0.6f, 1.0f, 3, 1, 1}, {0.4f, 1.4f, 6, 2, 2}, {0.2f, 2.0f, 37, 6, 4}};
    Params::fit<V>(x, importance, search_of(kSearches, effort), fitted);
  }

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params& params, Block& block) {
    uint8_t codes[kWeights];
    params.template codes<V>(x, codes);
    for (int half = 0; half < 2; ++half) {
      const uint8_t* from = codes + 128 * half;
      for (int i = 0; i < 32; ++i) {
        block.q[32 * half + i] = static_cast<uint8_t>(from[i] | from[i + 32] << 2 |
                                                      from[i + 64] << 4 | from[i + 96] << 6);
      }
    }
    block.d = params.d;
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const float d = f32_from_f16(block.d);
    for (int i = 0; i < kWeights; ++i) {
      const int q = block.q[32 * (i / 128) + i % 32] >> (i % 128 / 32 * 2) & 3;
      y[i] = static_cast<float>(q - 1) * d;
    }
  }

  // --- snap ---
  static NIBBLE_INLINE void snap(const float* x, const float*, const Params& params, int,
                                 float* y) {
    *y = params.snap(*x);
  }

  // --- dot ---
  static constexpr int kGroup = 32;
  static constexpr bool kSigned = false;
  static constexpr bool kHasMinimum = true;
  static constexpr int kZero = 1;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int, typename V::F32& scale,
                                   typename V::F32& minimum) {
    scale = V::set1(V::from_f16(block->d));
    minimum = scale;
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int) {
    const uint8_t* q = block->q + 32 * (j / 2);
    constexpr int shift = 4 * (j % 2);
    return V::template shift_right<32, shift, shift + 2, 3>(V::load_two(q, q));
  }

  // --- interleave ---
  static constexpr int kCodeBits = 2;
  static constexpr ScaleForm kScaleForm = ScaleForm::kF16;
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    return {block.d, 0, {}, {}};
  }
};

}  // namespace nibble
