// nvfp4: 64 weights in 36 bytes (4.5 bits a weight): 4 sub-blocks of 16 4-bit floats, an 8-bit
// float scale each.
//   0  u8[4]    s: UE4M3 (4 bits of exponent, bias 7, 3 of mantissa; 127 is 0, as in ggml); the
//               sign, bit 7, is ignored (and makes 255 480)
//   4  u8[32]   q: 8 bytes a sub-block; its weight i in the low half of byte i, weight 8 + i in its
//               high half
//                                                w = s / 2 * v[q], v the doubled values of e2m1.h
#pragma once

#include <bit>
#include <cmath>
#include <cstring>

#include "codec/e2m1.h"
#include "codec/format.h"

namespace nibble {

struct NVFP4 {
  static constexpr int kWeights = 64;
  static constexpr int kBytes = 36;
  static constexpr Domain kDomain = Domain::kInteger;
  static constexpr int kSubBlocks = 4;
  struct Block {
    uint8_t s[kSubBlocks];
    uint8_t q[32];
  };
  // s / 2 for bytes 0..127, 127 being what 255 is.
  template <class V>
  static NIBBLE_INLINE typename V::F32 scale_of_codes(typename V::F32 code) {
    const auto exponent = V::trunc(V::mul(code, V::set1(0.125f)));
    const auto mantissa = V::fma(exponent, V::set1(-8.0f), code);
    const auto one_and = V::fma(mantissa, V::set1(0.125f), V::set1(1.0f));
    const auto normal = V::scale_by_power_of_2(one_and, V::sub(exponent, V::set1(8.0f)));
    const auto is_normal = V::greater(exponent, V::zero());
    return V::select(is_normal, normal, V::mul(mantissa, V::set1(0x1p-10f)));
  }
  // s / 2 for bytes 0..255.
  template <class V>
  static NIBBLE_INLINE typename V::F32 scales_of(typename V::F32 byte) {
    const auto has_sign = V::greater(byte, V::set1(127.0f));
    const auto code = V::select(has_sign, V::sub(byte, V::set1(128.0f)), byte);
    const auto scale = scale_of_codes<V>(code);
    const auto is_number = V::greater(V::set1(127.0f), byte);
    return V::select(is_number, scale, V::select(has_sign, scale, V::zero()));
  }
  static NIBBLE_INLINE float scale_of(uint8_t s) {
    const uint32_t code = s & 127u;
    if (s == 127) return 0.0f;
    if (code < 8) return static_cast<float>(code) * 0x1p-10f;
    return std::bit_cast<float>((code + (119u << 3)) << 20);
  }

  // --- fit: codes around the one that maps the largest magnitude to the highest value, 6; five
  // codes up it maps to 4, which the coarse step between 4 and 6 often makes the better one ---
  struct Params {
    uint8_t s[kSubBlocks];
  };
  struct Search {
    int first;
    int last;
    int step;
  };
  static constexpr int kFitBlocks = 4;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int blocks, Effort effort,
                                Params* fitted) {
    constexpr Search kSearches[] = {{0, 5, 5}, {-2, 6, 1}, {-4, 10, 1}};
    const Search& search = search_of(kSearches, effort);
    Tile<V, 16> tile;
    load_tile<V, 16>(x, importance, blocks * kSubBlocks, tile);
    const Lanes<V> largest(drop_signs<V, 16>(tile));
    Lanes<V> middle;
    for (int k = 0; k < 16; ++k) middle[k] = static_cast<float>(code_below(largest[k] / 6.0f));
    auto best = round_into<V>(middle.load(), 0.0f, kHighest);
    auto best_error = V::set1(INFINITY);
    for (int k = search.first; k <= search.last; k += search.step) {
      const auto moved = V::add(middle.load(), V::set1(static_cast<float>(k)));
      const auto code = round_into<V>(moved, 0.0f, kHighest);
      const auto error = e2m1_error<V, 16>(tile, scales_of<V>(code));
      const auto is_better = V::greater(best_error, error);
      best = V::select(is_better, code, best);
      best_error = V::select(is_better, error, best_error);
    }
    const Lanes<V> codes(best);
    for (int k = 0; k < blocks * kSubBlocks; ++k) {
      fitted[k / kSubBlocks].s[k % kSubBlocks] = static_cast<uint8_t>(codes[k]);
    }
  }

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params& params, Block& block) {
    std::memcpy(block.s, params.s, sizeof block.s);
    for (int k = 0; k < kSubBlocks; ++k) {
      uint8_t codes[16];
      V::store_u8(codes, E2M1::codes<V>(x + 16 * k, inverse_or_zero(scale_of(params.s[k]))));
      for (int i = 0; i < 8; ++i) {
        block.q[8 * k + i] = static_cast<uint8_t>(codes[i] | codes[i + 8] << 4);
      }
    }
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    for (int k = 0; k < kSubBlocks; ++k) {
      const float scale = scale_of(block.s[k]);
      for (int i = 0; i < 8; ++i) {
        const uint8_t q = block.q[8 * k + i];
        y[16 * k + i] = static_cast<float>(E2M1::kValues[q & 15]) * scale;
        y[16 * k + i + 8] = static_cast<float>(E2M1::kValues[q >> 4]) * scale;
      }
    }
  }

  // --- snap ---
  static NIBBLE_INLINE void snap(const float* x, const float*, const Params& params, int i,
                                 float* y) {
    const float scale = scale_of(params.s[i / 16]);
    *y = E2M1::nearest(*x * inverse_or_zero(scale)) * scale;
  }

  // --- dot ---
  static constexpr int kGroup = 16;
  static constexpr bool kSigned = true;
  static constexpr bool kHasMinimum = false;
  static constexpr int kZero = 0;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int blocks, typename V::F32& scale,
                                   typename V::F32&) {
    const auto of = [=](int k) {
      uint32_t codes = 0;
      if (k < blocks) std::memcpy(&codes, block[k].s, sizeof codes);
      return codes;
    };
    scale = scales_of<V>(V::from_u8(of(0), of(1), of(2), of(3)));
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 codes(const Block* block, int blocks) {
    const auto q = V::load_eights_twice(block[j < blocks ? j : 0].q);
    return V::template shift_right<8, 0, 4, 15>(q);
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int blocks) {
    return V::lookup_bytes(E2M1::bytes(), codes<V, j>(block, blocks));
  }

  // --- interleave ---
  static constexpr int kCodeBits = 4;
  static constexpr const int8_t* kCodebook = E2M1::kValues;
  static constexpr ScaleForm kScaleForm = ScaleForm::kCodes;
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    StoredScales stored = {};
    for (int k = 0; k < kSubBlocks; ++k)
      stored.s[k] = static_cast<int8_t>(block.s[k] == 127 ? 0 : block.s[k] & 127);
    return stored;
  }

 private:
  static constexpr float kHighest = 126.0f;  // 448

  // The highest code whose value is at most x.
  static NIBBLE_INLINE int code_below(float x) {
    if (x >= 448.0f) return 126;
    if (x < 0x1p-6f) return static_cast<int>(x * 0x1p9f);
    return static_cast<int>((std::bit_cast<uint32_t>(x) >> 20) - (120u << 3));
  }
};

}  // namespace nibble
