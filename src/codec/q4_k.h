// q4_k: 256 weights in 144 bytes (4.5 bits a weight): 8 sub-blocks of 32.
//    0  f16      d
//    2  f16      dmin
//    4  u8[12]   scales s and minimums m (k_scales.h)
//   16  u8[128]  q: sub-blocks 2j and 2j + 1 in the low and high halves of bytes 32j .. 32j + 31
//                                                                    w = d * s * q - dmin * m
#pragma once

#include "codec/format.h"
#include "codec/k_scales.h"

namespace nibble {

struct Q4_K {
  static constexpr int kWeights = 256;
  static constexpr int kBytes = 144;
  static constexpr Domain kDomain = Domain::kInteger;
  struct Block {
    uint16_t d;
    uint16_t dmin;
    uint8_t s[12];
    uint8_t q[128];
  };

  // --- fit ---
  using Params = KScales<15>;
  static constexpr int kFitBlocks = Params::kFitBlocks;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int blocks, Effort effort,
                                Params* fitted) {
    constexpr ScaledLineSearch kSearches[] = {{{13.6f, 16.0f, 5, 0}, 1, 0},
                                              {{13.2f, 16.2f, 7, 1, 3, 0.4f}, 1, 1},
                                              {{12.0f, 17.0f, 20, 3, 5, 0.3f}, 2, 3}};
    Params::fit<V>(x, importance, blocks, search_of(kSearches, effort), fitted);
  }

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params& params, Block& block) {
    block.d = params.d;
    block.dmin = params.dmin;
    params.pack(block.s);
    uint8_t q[kWeights];
    params.template codes<V>(x, q);
    for (int j = 0; j < 4; ++j) {
      for (int i = 0; i < 32; ++i) {
        block.q[32 * j + i] = static_cast<uint8_t>(q[64 * j + i] | q[64 * j + 32 + i] << 4);
      }
    }
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const Params params = Params::unpack(block.d, block.dmin, block.s);
    for (int j = 0; j < 4; ++j) {
      const auto low = params.of(2 * j);
      const auto high = params.of(2 * j + 1);
      for (int i = 0; i < 32; ++i) {
        const uint8_t q = block.q[32 * j + i];
        y[64 * j + i] = low.scale * static_cast<float>(q & 15) - low.minimum;
        y[64 * j + 32 + i] = high.scale * static_cast<float>(q >> 4) - high.minimum;
      }
    }
  }

  // --- snap ---
  static NIBBLE_INLINE void snap(const float* x, const float*, const Params& params, int i,
                                 float* y) {
    *y = params.snap(*x, i);
  }

  // --- dot ---
  static constexpr int kGroup = 32;
  static constexpr bool kSigned = false;
  static constexpr bool kHasMinimum = true;
  static constexpr int kZero = 0;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int, typename V::F32& scale,
                                   typename V::F32& minimum) {
    Params::load<V>(block->d, block->dmin, block->s, scale, minimum);
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int) {
    const uint8_t* q = block->q + 32 * j;
    return V::template shift_right<32, 0, 4, 15>(V::load_two(q, q));
  }

  // --- interleave ---
  static constexpr int kCodeBits = 4;
  static constexpr ScaleForm kScaleForm = ScaleForm::kBytes;
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    return Params::unpack(block.d, block.dmin, block.s).stored();
  }
};

}  // namespace nibble
