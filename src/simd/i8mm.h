// I8mm: Neon with products of matrices of bytes (FEAT_I8MM), twice as many an instruction, for the
// prompt GEMM. The dot products of unsigned with signed bytes that come with it have nothing to do
// here: weights are at most 127 (scalar.h), which fits Neon's.
#pragma once

#include "simd/neon.h"

namespace nibble {

struct I8mm : Neon {
  // Two fours of columns of a panel, as eights of each row: rows 0-7, then rows 8-15.
  static NIBBLE_INLINE void store_eights(void* to, I8 first, I8 second) {
    for (int i = 0; i < 4; ++i) {
      const uint32x4_t a = vreinterpretq_u32_u8(first.v[i]);
      const uint32x4_t b = vreinterpretq_u32_u8(second.v[i]);
      uint8_t* rows = static_cast<uint8_t*>(to) + 32 * i;
      vst1q_u8(rows, vreinterpretq_u8_u32(vzip1q_u32(a, b)));
      vst1q_u8(rows + 16, vreinterpretq_u8_u32(vzip2q_u32(a, b)));
    }
  }
  // Eight activations of one column, twice.
  static NIBBLE_INLINE I8 same_column(const int8_t* p) {
    const uint8x8_t eight = vld1_u8(reinterpret_cast<const uint8_t*>(p));
    return make<I8>([=](int) { return vcombine_u8(eight, eight); });
  }
  // Eight activations of each of two columns, whose first (second) fours follow each other.
  static NIBBLE_INLINE I8 two_columns(const int8_t* first, const int8_t* second) {
    const uint32x2_t a = vreinterpret_u32_s8(vld1_s8(first));
    const uint32x2_t b = vreinterpret_u32_s8(vld1_s8(second));
    const uint32x4_t both = vcombine_u32(vzip1_u32(a, b), vzip2_u32(a, b));
    return make<I8>([=](int) { return vreinterpretq_u8_u32(both); });
  }
  // Lanes 4i..4i+3: row 2i times both columns, row 2i + 1 times both.
  static NIBBLE_INLINE I32 add_matrix_products(I32 sum, I8 rows, I8 columns) {
    return make<I32>([&](int i) {
      return vmmlaq_s32(sum.v[i], vreinterpretq_s8_u8(rows.v[i]),
                        vreinterpretq_s8_u8(columns.v[i]));
    });
  }
  static NIBBLE_INLINE I32 set2_i32(int32_t x, int32_t y) {
    const int32x2_t both = {x, y};
    return make<I32>([=](int) { return vcombine_s32(both, both); });
  }
  // The sums of 16 rows for one of the columns, from those of rows 0-7 and 8-15.
  static NIBBLE_INLINE I32 first_column(I32 low, I32 high) {
    return {{vuzp1q_s32(low.v[0], low.v[1]), vuzp1q_s32(low.v[2], low.v[3]),
             vuzp1q_s32(high.v[0], high.v[1]), vuzp1q_s32(high.v[2], high.v[3])}};
  }
  static NIBBLE_INLINE I32 second_column(I32 low, I32 high) {
    return {{vuzp2q_s32(low.v[0], low.v[1]), vuzp2q_s32(low.v[2], low.v[3]),
             vuzp2q_s32(high.v[0], high.v[1]), vuzp2q_s32(high.v[2], high.v[3])}};
  }
};

}  // namespace nibble
