// q5_1: 32 weights in 24 bytes (6 bits a weight).
//   0  f16      d
//   2  f16      m
//   4  u8[4]    h: bit i is bit 4 of weight i (little endian)
//   8  u8[16]   q: the low 4 bits; weight i in the low half of byte i, weight 16 + i in its high
//   half
//                                                                                          w = d *
//                                                                                          (q - 16)
#pragma once

#include <cstring>

#include "base/numeric.h"
#include "codec/fit.h"
#include "codec/format.h"

namespace nibble {

struct Q5_1 {
  static constexpr int kWeights = 32;
  static constexpr int kBytes = 24;
  static constexpr Domain kDomain = Domain::kInteger;
  struct Block {
    uint16_t d;
    uint16_t m;
    uint8_t h[4];
    uint8_t q[16];
  };
  static NIBBLE_INLINE uint32_t high_bits(const Block& block) {
    uint32_t bits;
    std::memcpy(&bits, block.h, sizeof bits);
    return bits;
  }

  // --- fit ---
  struct Params {
    uint16_t d;
    uint16_t m;
    float inverse;
  };
  template <class V>
  static NIBBLE_INLINE Params fit(const float* x, const float* importance) {
    const Affine best = fit_affine<V, 2, 31, AnyMinimum::kYes>(x, importance);
    const uint16_t d = f16_from_f32(best.scale);
    const float stored = f32_from_f16(d);
    return {d, f16_from_f32(-best.minimum), stored > 0.0f ? 1.0f / stored : 0.0f};
  }

  // --- pack ---
  static NIBBLE_INLINE uint32_t code(float x, const Params& params) {
    return static_cast<uint32_t>(
        round_into((x - f32_from_f16(params.m)) * params.inverse, 0.0f, 31.0f));
  }
  static NIBBLE_INLINE void pack(const float* x, const Params& params, Block& block) {
    block.d = params.d;
    block.m = params.m;
    uint32_t high = 0;
    for (int i = 0; i < 16; ++i) {
      const uint32_t first = code(x[i], params);
      const uint32_t second = code(x[i + 16], params);
      block.q[i] = static_cast<uint8_t>((first & 15) | (second & 15) << 4);
      high |= (first >> 4) << i | (second >> 4) << (i + 16);
    }
    std::memcpy(block.h, &high, sizeof high);
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const float d = f32_from_f16(block.d);
    const float m = f32_from_f16(block.m);
    const uint32_t high = high_bits(block);
    for (int i = 0; i < 16; ++i) {
      y[i] = static_cast<float>((block.q[i] & 15u) | (high >> i & 1) << 4) * d + m;
      y[i + 16] = static_cast<float>((block.q[i] >> 4) | (high >> (i + 16) & 1) << 4) * d + m;
    }
  }

  // --- snap ---
  static NIBBLE_INLINE float snap(float x, const Params& params, int) {
    return static_cast<float>(code(x, params)) * f32_from_f16(params.d) + f32_from_f16(params.m);
  }

  // --- dot ---
  static constexpr int kGroup = 32;
  static constexpr bool kSigned = false;
  static constexpr bool kHasMinimum = true;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int blocks, typename V::F32& scale,
                                   typename V::F32& minimum) {
    scale = V::template gather_f16<kBytes>(&block->d, blocks);
    const auto m = V::template gather_f16<kBytes>(&block->m, blocks);
    minimum = V::sub(V::zero(), V::twice_low(m));
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int blocks) {
    const Block& first = block[2 * j];
    const Block& second = block[2 * j + 1 < blocks ? 2 * j + 1 : 2 * j];
    const auto low = V::template shift_right<16, 0, 4, 15>(V::load_two_twice(first.q, second.q));
    const uint64_t high = high_bits(first) | static_cast<uint64_t>(high_bits(second)) << 32;
    return V::bit_or(low, V::bytes_from_bits(high, 16));
  }
};

}  // namespace nibble
