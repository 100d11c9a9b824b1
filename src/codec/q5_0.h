// q5_0: 32 weights in 22 bytes (5.5 bits a weight).
//   0  f16      d
//   2  u8[4]    h: bit i is bit 4 of weight i (little endian)
//   6  u8[16]   q: the low 4 bits; weight i in the low half of byte i, weight 16 + i in its high
//   half
//                                                                                          w = d *
//                                                                                          (q - 16)
#pragma once

#include <cstring>

#include "base/numeric.h"
#include "codec/block_scales.h"
#include "codec/format.h"

namespace nibble {

struct Q5_0 {
  static constexpr int kWeights = 32;
  static constexpr int kBytes = 22;
  static constexpr Domain kDomain = Domain::kInteger;
  struct Block {
    uint16_t d;
    uint8_t h[4];
    uint8_t q[16];
  };
  static NIBBLE_INLINE uint32_t high_bits(const Block& block) {
    uint32_t bits;
    std::memcpy(&bits, block.h, sizeof bits);
    return bits;
  }

  // --- fit ---
  using Params = BlockScale<-16>;
  static constexpr int kFitBlocks = 16;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int blocks, Effort effort,
                                Params* fitted) {
    constexpr SymmetricSearch kSearches[] = {
        {-15.4f, -16.6f, 3, 1, true}, {-14.2f, -17.4f, 12, 1, true}, {-13.0f, -19.0f, 40, 2, true}};
    Params::fit<V>(x, importance, blocks, search_of(kSearches, effort), fitted);
  }

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params& params, Block& block) {
    block.d = params.d;
    uint8_t codes[32];
    params.template codes<V>(x, codes);
    uint32_t high = 0;
    for (int i = 0; i < 32; ++i) high |= static_cast<uint32_t>(codes[i] >> 4) << i;
    std::memcpy(block.h, &high, sizeof high);
    for (int i = 0; i < 16; ++i) {
      block.q[i] = static_cast<uint8_t>((codes[i] & 15) | (codes[i + 16] & 15) << 4);
    }
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const float d = f32_from_f16(block.d);
    const uint32_t high = high_bits(block);
    for (int i = 0; i < 16; ++i) {
      const int first = static_cast<int>((block.q[i] & 15u) | (high >> i & 1) << 4);
      const int second = static_cast<int>((block.q[i] >> 4) | (high >> (i + 16) & 1) << 4);
      y[i] = static_cast<float>(first - 16) * d;
      y[i + 16] = static_cast<float>(second - 16) * d;
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
  static constexpr int kZero = 16;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int blocks, typename V::F32& scale,
                                   typename V::F32& minimum) {
    scale = V::template gather_f16<kBytes>(&block->d, blocks);
    minimum = V::mul(V::twice_low(scale), V::set1(16.0f));
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int blocks) {
    const Block& first = block[2 * j];
    const Block& second = block[2 * j + 1 < blocks ? 2 * j + 1 : 2 * j];
    const auto low = V::template shift_right<16, 0, 4, 15>(V::load_two_twice(first.q, second.q));
    const uint64_t high = high_bits(first) | static_cast<uint64_t>(high_bits(second)) << 32;
    return V::bit_or(low, V::bytes_from_bits(high, 16));
  }

  // --- interleave ---
  static constexpr int kCodeBits = 5;
  static constexpr ScaleForm kScaleForm = ScaleForm::kF16;
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    return {block.d, 0, {}, {}};
  }
};

}  // namespace nibble
