// mxfp4: 32 weights in 17 bytes (4.25 bits a weight): 4-bit floats under a power of two.
//   0  u8       e
//   1  u8[16]   q: weight i in the low half of byte i, weight 16 + i in its high half
//                                            w = 2^(e - 128) * v[q], v the doubled values of e2m1.h
// As OCP Microscaling Formats 1.0 has it, except that e = 255 is 2^127 here, as in ggml, no NaN.
#pragma once

#include <bit>
#include <cmath>

#include "codec/e2m1.h"
#include "codec/format.h"

namespace nibble {

struct MXFP4 {
  static constexpr int kWeights = 32;
  static constexpr int kBytes = 17;
  static constexpr Domain kDomain = Domain::kInteger;
  struct Block {
    uint8_t e;
    uint8_t q[16];
  };
  static NIBBLE_INLINE float scale_of(uint8_t e) {
    return std::bit_cast<float>(e < 2 ? 0x00200000u << e : static_cast<uint32_t>(e - 1) << 23);
  }

  // --- fit: exponents around the one that maps the largest magnitude into the upper octave ---
  struct Params {
    uint8_t e;
    float inverse;
  };
  struct Search {  // exponents that are tried; none: the middle is taken unseen
    int first;
    int last;
  };
  static constexpr int kFitBlocks = 16;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int blocks, Effort effort,
                                Params* fitted) {
    constexpr Search kSearches[] = {{0, -1}, {-1, 1}, {-2, 2}};
    const Search& search = search_of(kSearches, effort);
    Tile<V, kWeights> tile;
    load_tile<V, kWeights>(x, importance, blocks, tile);
    const Lanes<V> largest(drop_signs<V, kWeights>(tile));
    Lanes<V> middle;
    for (int k = 0; k < 16; ++k) middle[k] = static_cast<float>(upper_exponent(largest[k]));
    auto best = round_into<V>(middle.load(), kLowest, kHighest);
    auto best_error = V::set1(INFINITY);
    for (int k = search.first; k <= search.last; ++k) {
      const auto e =
          round_into<V>(V::add(middle.load(), V::set1(static_cast<float>(k))), kLowest, kHighest);
      const auto scale = V::scale_by_power_of_2(V::set1(1.0f), V::sub(e, V::set1(128.0f)));
      const auto error = e2m1_error<V, kWeights>(tile, scale);
      const auto is_better = V::greater(best_error, error);
      best = V::select(is_better, e, best);
      best_error = V::select(is_better, error, best_error);
    }
    const Lanes<V> exponents(best);
    for (int b = 0; b < blocks; ++b) {
      const auto e = static_cast<uint8_t>(exponents[b]);
      fitted[b] = {e, inverse_or_zero(scale_of(e))};
    }
  }

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params& params, Block& block) {
    block.e = params.e;
    const auto low = E2M1::codes<V>(x, params.inverse);
    const auto high = E2M1::codes<V>(x + 16, params.inverse);
    V::store_u8(block.q, V::fma(high, V::set1(16.0f), low));
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const float d = scale_of(block.e);
    for (int i = 0; i < 16; ++i) {
      y[i] = static_cast<float>(E2M1::kValues[block.q[i] & 15]) * d;
      y[i + 16] = static_cast<float>(E2M1::kValues[block.q[i] >> 4]) * d;
    }
  }

  // --- snap ---
  static NIBBLE_INLINE void snap(const float* x, const float*, const Params& params, int,
                                 float* y) {
    *y = E2M1::nearest(*x * params.inverse) * scale_of(params.e);
  }

  // --- dot ---
  static constexpr int kGroup = 32;
  static constexpr bool kSigned = true;
  static constexpr bool kHasMinimum = false;
  static constexpr int kZero = 0;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int blocks, typename V::F32& scale,
                                   typename V::F32&) {
    const auto of = [=](int k) { return k < blocks ? scale_of(block[k].e) : 0.0f; };
    scale = V::set8(of(0), of(1), of(2), of(3), of(4), of(5), of(6), of(7));
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 codes(const Block* block, int blocks) {
    const int second = 2 * j + 1 < blocks ? 2 * j + 1 : 2 * j;
    const auto q = V::load_two_twice(block[2 * j].q, block[second].q);
    return V::template shift_right<16, 0, 4, 15>(q);
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int blocks) {
    return V::lookup_bytes(E2M1::bytes(), codes<V, j>(block, blocks));
  }

  // --- interleave ---
  static constexpr int kCodeBits = 4;
  static constexpr const int8_t* kCodebook = E2M1::kValues;
  static constexpr ScaleForm kScaleForm = ScaleForm::kBF16;
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    return {static_cast<uint16_t>(std::bit_cast<uint32_t>(scale_of(block.e)) >> 16), 0, {}, {}};
  }

 private:
  // Exponents that the encoder uses: scales that inverse_or_zero takes for numbers, with inverses
  // that are normal.
  static constexpr float kLowest = 29.0f;
  static constexpr float kHighest = 253.0f;

  // floor(log2(largest)) + 125: between 2/3 of the highest value and 4/3.
  static NIBBLE_INLINE int upper_exponent(float largest) {
    return static_cast<int>(std::bit_cast<uint32_t>(largest) >> 23) - 2;
  }
};

}  // namespace nibble
