// iq4_nl: 32 weights in 18 bytes (4.5 bits a weight).
//   0  f16      d
//   2  u8[16]   q: weight i in the low half of byte i, weight 16 + i in its high half
//                                                      w = d * v[q], v the table of codebook16.h
#pragma once

#include "base/numeric.h"
#include "codec/codebook16.h"
#include "codec/format.h"

namespace nibble {

struct IQ4_NL {
  static constexpr int kWeights = 32;
  static constexpr int kBytes = 18;
  static constexpr Domain kDomain = Domain::kInteger;
  struct Block {
    uint16_t d;
    uint8_t q[16];
  };

  // --- fit ---
  struct Params {
    uint16_t d;
    float inverse;
  };
  static constexpr int kFitBlocks = 16;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int blocks, Effort effort,
                                Params* fitted) {
    constexpr CodebookSearch kSearches[] = {
        {0.92f, 1.08f, 3, 1}, {0.8f, 1.2f, 10, 2}, {0.7f, 1.3f, 32, 3}};
    Tile<V, 32> tile;
    load_tile<V, 32>(x, importance, blocks, tile);
    const Lanes<V> scale(fit_codebook<V, 32>(tile, search_of(kSearches, effort)).scale);
    for (int b = 0; b < blocks; ++b) {
      const uint16_t d = f16_from_f32(scale[b]);
      fitted[b] = {d, inverse_or_zero(f32_from_f16(d))};
    }
  }

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params& params, Block& block) {
    block.d = params.d;
    Codebook16::pack<V>(x, params.inverse, block.q);
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    Codebook16::unpack(block.q, f32_from_f16(block.d), y);
  }

  // --- snap ---
  static NIBBLE_INLINE void snap(const float* x, const float*, const Params& params, int,
                                 float* y) {
    *y = f32_from_f16(params.d) * Codebook16::nearest(*x * params.inverse);
  }

  // --- dot ---
  static constexpr int kGroup = 32;
  static constexpr bool kSigned = true;
  static constexpr bool kHasMinimum = false;
  static constexpr int kZero = 0;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int blocks, typename V::F32& scale,
                                   typename V::F32&) {
    scale = V::template gather_f16<kBytes>(&block->d, blocks);
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 codes(const Block* block, int blocks) {
    const int second = 2 * j + 1 < blocks ? 2 * j + 1 : 2 * j;
    const auto q = V::load_two_twice(block[2 * j].q, block[second].q);
    return V::template shift_right<16, 0, 4, 15>(q);
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int blocks) {
    return V::lookup_bytes(Codebook16::bytes(), codes<V, j>(block, blocks));
  }

  // --- interleave ---
  static constexpr int kCodeBits = 4;
  static constexpr const int8_t* kCodebook = Codebook16::kValues;
  static constexpr ScaleForm kScaleForm = ScaleForm::kF16;
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    return {block.d, 0, {}, {}};
  }
};

}  // namespace nibble
