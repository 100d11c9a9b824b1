// q2_0: 64 weights in 18 bytes (2.25 bits a weight).
//   0  f16      d
//   2  u8[16]   q: weight i in bits 2 (i % 4), 2 (i % 4) + 1 of byte i / 4
//                                                                       w = d * (q - 1), q in 0..3
#pragma once

#include "base/numeric.h"
#include "codec/fit.h"
#include "codec/format.h"

namespace nibble {

struct Q2_0 {
  static constexpr int kWeights = 64;
  static constexpr int kBytes = 18;
  static constexpr Domain kDomain = Domain::kInteger;
  static constexpr float kLow = -1.0f;
  static constexpr float kHigh = 2.0f;
  struct Block {
    uint16_t d;
    uint8_t q[16];
  };

  // --- fit: the value of largest magnitude at `steps` places from `first` to `last` (negative:
  // the low end, so that d is negative where that value is positive) ---
  struct Params {
    uint16_t d;
    float inverse;
  };
  struct Search {
    float first_low, last_low;
    float first_high, last_high;
    int steps;  // at each end
    int refinements;
  };
  static constexpr int kFitBlocks = 16;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int blocks, Effort effort,
                                Params* fitted) {
    constexpr Search kSearches[] = {{-1.4f, -1.8f, 1.6f, 2.4f, 3, 1},
                                    {-1.0f, -2.0f, 1.4f, 2.8f, 7, 2},
                                    {-0.6f, -3.0f, 0.8f, 4.0f, 32, 4}};
    const Search& search = search_of(kSearches, effort);
    Tile<V, kWeights> tile;
    load_tile<V, kWeights>(x, importance, blocks, tile);
    const auto per_extreme = inverse_or_zero<V>(extremes<V, kWeights>(tile));
    SymmetricFit<V> best = {V::zero(), V::zero()};
    for (int k = 0; k < search.steps; ++k) {
      const float part = static_cast<float>(k) / static_cast<float>(search.steps - 1);
      const float low = search.first_low + part * (search.last_low - search.first_low);
      const float high = search.first_high + part * (search.last_high - search.first_high);
      for (const float place : {low, high}) {
        const auto inverse = V::mul(V::set1(place), per_extreme);
        try_symmetric<V, kWeights>(tile, inverse, kLow, kHigh, best);
      }
    }
    for (int k = 0; k < search.refinements; ++k) {
      try_symmetric<V, kWeights>(tile, inverse_or_zero<V>(best.scale), kLow, kHigh, best);
    }
    const Lanes<V> scale(best.scale);
    for (int b = 0; b < blocks; ++b) {
      const uint16_t d = f16_from_f32(scale[b]);
      fitted[b] = {d, inverse_or_zero(f32_from_f16(d))};
    }
  }

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params& params, Block& block) {
    block.d = params.d;
    uint8_t codes[kWeights];
    round_codes<V>(x, kWeights, params.inverse, 0.0f, kLow, kHigh, -kLow, codes);
    for (int i = 0; i < 16; ++i) {
      const uint8_t* from = codes + 4 * i;
      block.q[i] = static_cast<uint8_t>(from[0] | from[1] << 2 | from[2] << 4 | from[3] << 6);
    }
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const float d = f32_from_f16(block.d);
    for (int i = 0; i < kWeights; ++i) {
      y[i] = static_cast<float>((block.q[i / 4] >> (2 * (i % 4)) & 3) - 1) * d;
    }
  }

  // --- snap ---
  static NIBBLE_INLINE void snap(const float* x, const float*, const Params& params, int,
                                 float* y) {
    *y = round_code(*x, params.inverse, 0.0f, kLow, kHigh) * f32_from_f16(params.d);
  }

  // --- dot ---
  static constexpr int kGroup = 16;
  static constexpr bool kSigned = false;
  static constexpr bool kHasMinimum = true;
  static constexpr int kZero = 1;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int blocks, typename V::F32& scale,
                                   typename V::F32& minimum) {
    scale = V::template spread4<0>(V::template gather_f16<kBytes>(&block->d, blocks));
    minimum = scale;
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int blocks) {
    return V::bytes_from_pairs(block[j < blocks ? j : 0].q);
  }

  // --- interleave ---
  static constexpr int kCodeBits = 2;
  static constexpr ScaleForm kScaleForm = ScaleForm::kF16;
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    return {block.d, 0, {}, {}};
  }
};

}  // namespace nibble
