// q1_0: 128 weights in 18 bytes (1.125 bits a weight): a scale and the signs.
//   0  f16      d
//   2  u8[16]   q: bit i % 8 of byte i / 8 is set where weight i is d, else it is -d
#pragma once

#include <cstring>

#include "base/numeric.h"
#include "codec/fit.h"
#include "codec/format.h"

namespace nibble {

struct Q1_0 {
  static constexpr int kWeights = 128;
  static constexpr int kBytes = 18;
  static constexpr Domain kDomain = Domain::kInteger;
  struct Block {
    uint16_t d;
    uint8_t q[16];
  };

  // --- fit: the mean magnitude, weighted by importance, is the best d there is; no search ---
  struct Params {
    uint16_t d;
  };
  static constexpr int kFitBlocks = 1;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int, Effort,
                                Params* fitted) {
    auto magnitude = V::zero();
    auto w = V::zero();
    auto wx = V::zero();
    for (int i = 0; i < kWeights; i += 16) {
      const auto x_i = V::abs(V::load(x + i));
      magnitude = V::add(magnitude, x_i);
      if (importance == nullptr) continue;
      const auto w_i = V::load(importance + i);
      w = V::add(w, w_i);
      wx = V::fma(w_i, x_i, wx);
    }
    const float total = V::sum(w);
    const float mean = total > 0.0f ? V::sum(wx) * inverse_or_zero(total)
                                    : V::sum(magnitude) / static_cast<float>(kWeights);
    fitted->d = f16_from_f32(mean > 0.0f ? mean : 0.0f);  // NaN weights give no NaN scale
  }

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params& params, Block& block) {
    block.d = params.d;
    for (int byte = 0; byte < 16; ++byte) {
      uint32_t bits = 0;
      for (int i = 0; i < 8; ++i) bits |= static_cast<uint32_t>(x[8 * byte + i] >= 0.0f) << i;
      block.q[byte] = static_cast<uint8_t>(bits);
    }
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const float d = f32_from_f16(block.d);
    for (int i = 0; i < kWeights; ++i) y[i] = (block.q[i / 8] >> (i % 8) & 1) != 0 ? d : -d;
  }

  // --- snap ---
  static NIBBLE_INLINE void snap(const float* x, const float*, const Params& params, int,
                                 float* y) {
    const float d = f32_from_f16(params.d);
    *y = *x >= 0.0f ? d : -d;
  }

  // --- dot: codes 0 and 2, minimum d ---
  static constexpr int kGroup = 16;
  static constexpr bool kSigned = false;
  static constexpr bool kHasMinimum = true;
  static constexpr int kZero = 1;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int blocks, typename V::F32& scale,
                                   typename V::F32& minimum) {
    const float second = blocks > 1 ? V::from_f16(block[1].d) : 0.0f;
    scale = V::halves(V::from_f16(block[0].d), second);
    minimum = scale;
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int blocks) {
    uint64_t bits;
    std::memcpy(&bits, block[j / 2 < blocks ? j / 2 : 0].q + 8 * (j % 2), sizeof bits);
    return V::bytes_from_bits(bits, 2);
  }

  // --- interleave ---
  static constexpr int kCodeBits = 1;
  static constexpr ScaleForm kScaleForm = ScaleForm::kF16;
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    return {block.d, 0, {}, {}};
  }
};

}  // namespace nibble
