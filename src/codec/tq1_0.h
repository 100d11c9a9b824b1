// tq1_0: 256 weights in 54 bytes (1.6875 bits a weight), ternary, five base-3 digits to a byte.
//    0  u8[52]   q: three runs of bytes; digit n of byte m of a run is weight n * width + m of it:
//                  weights   0-159 in bytes  0-31, 5 digits each
//                  weights 160-239 in bytes 32-47, 5 digits each
//                  weights 240-255 in bytes 48-51, 4 digits each
//   52  f16      d                                                                w = d * (t - 1)
// A byte is ceil(256 / 243 * number), the number's first digit its most significant. So digit n is
// 3 * (byte * 3^n mod 256) / 256: no division.
#pragma once

#include <cstring>

#include "base/numeric.h"
#include "codec/format.h"
#include "codec/ternary.h"

namespace nibble {

struct TQ1_0 {
  static constexpr int kWeights = 256;
  static constexpr int kBytes = 54;
  static constexpr Domain kDomain = Domain::kInteger;
  struct Block {
    uint8_t q[52];
    uint16_t d;
  };
  struct Run {
    int weight;  // the first
    int byte;    // the first
    int width;   // bytes
    int digits;
  };
  static constexpr Run kRuns[] = {{0, 0, 32, 5}, {160, 32, 16, 5}, {240, 48, 4, 4}};
  static constexpr uint8_t kPowers[] = {1, 3, 9, 27, 81};

  // --- fit ---
  using Params = Ternary;
  static constexpr int kFitBlocks = 1;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int, Effort effort,
                                Params* fitted) {
    constexpr TernarySearch kSearches[] = {
        {0.6f, 1.0f, 3, 1, 1}, {0.4f, 1.4f, 6, 2, 2}, {0.2f, 2.0f, 37, 6, 4}};
    Params::fit<V>(x, importance, search_of(kSearches, effort), fitted);
  }

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params& params, Block& block) {
    uint8_t codes[kWeights];
    params.template codes<V>(x, codes);
    for (const Run& run : kRuns) {
      for (int m = 0; m < run.width; ++m) {
        const uint8_t* first = codes + run.weight + m;
        uint32_t number = 0;
        for (int n = 0; n < 5; ++n) {
          number = 3 * number + (n < run.digits ? first[n * run.width] : 0);
        }
        block.q[run.byte + m] = static_cast<uint8_t>((256 * number + 242) / 243);
      }
    }
    block.d = params.d;
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const float d = f32_from_f16(block.d);
    for (const Run& run : kRuns) {
      for (int n = 0; n < run.digits; ++n) {
        for (int m = 0; m < run.width; ++m) {
          const auto rest = static_cast<uint8_t>(block.q[run.byte + m] * kPowers[n]);
          y[run.weight + n * run.width + m] = static_cast<float>((rest * 3 >> 8) - 1) * d;
        }
      }
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
  static constexpr int kZero = 1;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int, typename V::F32& scale,
                                   typename V::F32& minimum) {
    scale = V::set1(V::from_f16(block->d));
    minimum = scale;
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int) {
    static_assert(j >= 0 && j < 4);
    static constexpr Powers kPowersOf = powers_of(j);
    const uint8_t* q = block->q;
    const auto powers = V::load_bytes(kPowersOf.v);
    if constexpr (j < 2) {
      return V::base3_digits(V::load_two(q, q), powers);
    } else if constexpr (j == 2) {
      return V::base3_digits(V::load_four(q, q + 16, q + 32, q + 32), powers);
    } else {
      uint8_t last[16];
      for (int n = 0; n < 4; ++n) std::memcpy(last + 4 * n, q + 48, 4);
      return V::base3_digits(V::load_four(q + 32, q + 32, q + 32, last), powers);
    }
  }

  // --- interleave ---
  static constexpr int kCodeBits = 2;
  static constexpr ScaleForm kScaleForm = ScaleForm::kF16;
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    return {block.d, 0, {}, {}};
  }

 private:
  // 3^n for the digits n of weights 64j .. 64j + 63.
  struct Powers {
    uint8_t v[64];
  };
  static constexpr Powers powers_of(int j) {
    Powers powers = {};
    for (const Run& run : kRuns) {
      for (int i = 0; i < run.width * run.digits; ++i) {
        const int place = run.weight + i - 64 * j;
        if (place >= 0 && place < 64) powers.v[place] = kPowers[i / run.width];
      }
    }
    return powers;
  }
};

}  // namespace nibble
