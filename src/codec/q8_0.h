// q8_0: 32 weights in 34 bytes (8.5 bits a weight).
//   0  f16      d
//   2  i8[32]   q, -128..127     w = d * q
#pragma once

#include "base/numeric.h"
#include "codec/fit.h"
#include "codec/format.h"

namespace nibble {

struct Q8_0 {
  static constexpr int kWeights = 32;
  static constexpr int kBytes = 34;
  static constexpr Domain kDomain = Domain::kInteger;
  struct Block {
    uint16_t d;
    int8_t q[32];
  };

  // --- fit: the largest magnitude becomes 127, as in the reference encoder (a search gains under 1
  // %) ---
  struct Params {
    uint16_t d;
    float inverse;
  };
  template <class V>
  static NIBBLE_INLINE Params fit(const float* x, const float*) {
    const float largest = V::largest(V::max(V::abs(V::load(x)), V::abs(V::load(x + 16))));
    const float d = largest / 127.0f;
    return {f16_from_f32(d), d != 0.0f ? 1.0f / d : 0.0f};
  }

  // --- pack ---
  static NIBBLE_INLINE int8_t round_code(float x, const Params& params) {
    const float scaled = x * params.inverse;  // ties round away from zero
    const float whole = std::trunc(scaled);
    const float rest = scaled - whole;
    return static_cast<int8_t>(whole + (rest >= 0.5f ? 1.0f : rest <= -0.5f ? -1.0f : 0.0f));
  }
  static NIBBLE_INLINE void pack(const float* x, const Params& params, Block& block) {
    block.d = params.d;
    for (int i = 0; i < 32; ++i) block.q[i] = round_code(x[i], params);
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const float d = f32_from_f16(block.d);
    for (int i = 0; i < 32; ++i) y[i] = static_cast<float>(block.q[i]) * d;
  }

  // --- snap ---
  static NIBBLE_INLINE float snap(float x, const Params& params, int) {
    return static_cast<float>(round_code(x, params)) * f32_from_f16(params.d);
  }

  // --- dot ---
  static constexpr int kGroup = 32;
  static constexpr bool kSigned = true;
  static constexpr bool kHasMinimum = false;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int blocks, typename V::F32& scale,
                                   typename V::F32&) {
    scale = V::template gather_f16<kBytes>(&block->d, blocks);
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int blocks) {
    const int second = 2 * j + 1 < blocks ? 2 * j + 1 : 2 * j;
    return V::load_two(block[2 * j].q, block[second].q);
  }
};

}  // namespace nibble
