// q8_0: 32 weights in 34 bytes (8.5 bits a weight).
//   0  f16      d
//   2  i8[32]   q, -128..127     w = d * q
#pragma once

#include <cmath>

#include "base/numeric.h"
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

  // --- fit: the largest magnitude becomes 127, as in the reference encoder; its bytes. A search
  // gains under 1 % ---
  struct Params {
    uint16_t d;
    float inverse;  // of the scale before it was rounded to f16
  };
  static constexpr int kFitBlocks = 1;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float*, int, Effort, Params* fitted) {
    const float largest = V::largest(V::max(V::abs(V::load(x)), V::abs(V::load(x + 16))));
    const float d = largest / 127.0f;
    constexpr float kSmallest = 0x1p-126f;  // the inverse of a smaller one is infinite
    *fitted = {f16_from_f32(d), d >= kSmallest ? 1.0f / d : 0.0f};
  }

  // --- pack: ties round away from zero ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params& params, Block& block) {
    block.d = params.d;
    for (int i = 0; i < 32; i += 16) {
      const auto scaled = V::mul(V::load(x + i), V::set1(params.inverse));
      const auto whole = V::trunc(scaled);
      const auto rest = V::sub(scaled, whole);
      V::store_i8(block.q + i, V::add(whole, V::trunc(V::add(rest, rest))));
    }
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const float d = f32_from_f16(block.d);
    for (int i = 0; i < 32; ++i) y[i] = static_cast<float>(block.q[i]) * d;
  }

  // --- snap ---
  static NIBBLE_INLINE void snap(const float* x, const float*, const Params& params, int,
                                 float* y) {
    constexpr float kMost = 127.0f;  // what was not there when the scale was chosen may be larger
    const float scaled = std::fmin(std::fmax(*x * params.inverse, -kMost), kMost);
    const float whole = std::trunc(scaled);
    const float rest = scaled - whole;
    *y = (whole + std::trunc(rest + rest)) * f32_from_f16(params.d);
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
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int blocks) {
    const int second = 2 * j + 1 < blocks ? 2 * j + 1 : 2 * j;
    return V::load_two(block[2 * j].q, block[second].q);
  }

  // --- interleave ---
  static constexpr int kCodeBits = 8;
  static constexpr ScaleForm kScaleForm = ScaleForm::kF16;
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    return {block.d, 0, {}, {}};
  }
};

}  // namespace nibble
