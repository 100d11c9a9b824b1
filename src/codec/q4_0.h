// q4_0: 32 weights in 18 bytes (4.5 bits a weight).
//   0  f16      d
//   2  u8[16]   q: weight i in the low half of byte i, weight 16 + i in its high half     w = d *
//   (q - 8)
#pragma once

#include "base/numeric.h"
#include "codec/fit.h"
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
  struct Params {
    uint16_t d;
    float inverse;
  };
  template <class V>
  static NIBBLE_INLINE Params fit(const float* x, const float* importance) {
    const uint16_t d = f16_from_f32(fit_symmetric<V, 2, 8>(x, importance));
    const float stored = f32_from_f16(d);
    return {d, stored != 0.0f ? 1.0f / stored : 0.0f};
  }

  // --- pack ---
  static NIBBLE_INLINE int code(float x, const Params& params) {
    return static_cast<int>(round_into(x * params.inverse, -8.0f, 7.0f)) + 8;
  }
  static NIBBLE_INLINE void pack(const float* x, const Params& params, Block& block) {
    block.d = params.d;
    for (int i = 0; i < 16; ++i) {
      block.q[i] = static_cast<uint8_t>(code(x[i], params) | code(x[i + 16], params) << 4);
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
  static NIBBLE_INLINE float snap(float x, const Params& params, int) {
    return static_cast<float>(code(x, params) - 8) * f32_from_f16(params.d);
  }

  // --- dot ---
  static constexpr int kGroup = 32;
  static constexpr bool kSigned = false;
  static constexpr bool kHasMinimum = true;
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
};

}  // namespace nibble
