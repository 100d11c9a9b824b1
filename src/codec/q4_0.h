// q4_0: 32 weights in 18 bytes (4.5 bits a weight).
//   0  f16      d
//   2  u8[16]   q: weight i in the low half of byte i, weight 16 + i in its high half     w = d *
//   (q - 8)
#pragma once

#include "base/numeric.h"
#include "codec/block_scales.h"
#include "codec/format.h"

namespace nibble {

struct Q4_0 {
  static constexpr int kWeights = 32;
  static constexpr int kBytes = 18;
  static constexpr Domain kDomain = Domain::kInteger;
  struct Block {
    uint16_t d;
    uint8_t q[16];
  };

  // --- fit ---
  using Params = BlockScale<-8>;
  static constexpr int kFitBlocks = 16;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int blocks, Effort effort,
                                Params* fitted) {
    constexpr SymmetricSearch kSearches[] = {
        {-7.5f, -8.5f, 3, 1, true}, {-6.6f, -9.4f, 12, 1, true}, {-6.0f, -10.0f, 40, 2, true}};
    Params::fit<V>(x, importance, blocks, search_of(kSearches, effort), fitted);
  }

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params& params, Block& block) {
    block.d = params.d;
    uint8_t codes[32];
    params.template codes<V>(x, codes);
    for (int i = 0; i < 16; ++i) {
      block.q[i] = static_cast<uint8_t>(codes[i] | codes[i + 16] << 4);
    }
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const float d = f32_from_f16(block.d);
    for (int i = 0; i < 16; ++i) {
      y[i] = static_cast<float>((block.q[i] & 15) - 8) * d;
      y[i + 16] = static_cast<float>((block.q[i] >> 4) - 8) * d;
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
  static constexpr int kZero = 8;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int blocks, typename V::F32& scale,
                                   typename V::F32& minimum) {
    scale = V::template gather_f16<kBytes>(&block->d, blocks);
    minimum = V::mul(V::twice_low(scale), V::set1(8.0f));
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int blocks) {
    const int second = 2 * j + 1 < blocks ? 2 * j + 1 : 2 * j;
    return V::template shift_right<16, 0, 4, 15>(
        V::load_two_twice(block[2 * j].q, block[second].q));
  }

  // --- interleave ---
  static constexpr int kCodeBits = 4;
  static constexpr ScaleForm kScaleForm = ScaleForm::kF16;
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    return {block.d, 0, {}, {}};
  }
};

}  // namespace nibble
