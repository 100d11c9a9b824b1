// Neon: the vector type V (see scalar.h for what each operation means) in four 128-bit registers.
// Needs the dot products of ARMv8.2 (FEAT_DotProd).
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/attributes.h"

namespace nibble {

struct Neon {
  static constexpr int kDotRows = 2;

  struct F32 {
    float32x4_t v[4];
  };
  struct I32 {
    int32x4_t v[4];
  };
  struct I8 {
    uint8x16_t v[4];
  };
  struct Mask {
    uint32x4_t v[4];
  };

  // A vector (F32 unless said otherwise) from what `function` gives for each of its registers.
  template <class Vector = F32, class Function>
  static NIBBLE_INLINE Vector make(Function function) {
    return {{function(0), function(1), function(2), function(3)}};
  }

  static NIBBLE_INLINE F32 zero() { return set1(0.0f); }
  static NIBBLE_INLINE F32 set1(float x) {
    return make([=](int) { return vdupq_n_f32(x); });
  }
  static NIBBLE_INLINE F32 load(const float* p) {
    return make([=](int i) { return vld1q_f32(p + 4 * i); });
  }
  static NIBBLE_INLINE F32 load_low8(const float* p) {
    return make([=](int i) { return i < 2 ? vld1q_f32(p + 4 * i) : vdupq_n_f32(0.0f); });
  }
  static NIBBLE_INLINE float32x4_t first4(const float* p, int count) {
    if (count >= 4) return vld1q_f32(p);
    float32x4_t lanes = vdupq_n_f32(0.0f);
    if (count > 0) lanes = vld1q_lane_f32(p, lanes, 0);
    if (count > 1) lanes = vld1q_lane_f32(p + 1, lanes, 1);
    if (count > 2) lanes = vld1q_lane_f32(p + 2, lanes, 2);
    return lanes;
  }
  static NIBBLE_INLINE F32 load_first(const float* p, int count) {
    return make([=](int i) { return first4(p + 4 * i, count - 4 * i); });
  }
  static NIBBLE_INLINE float32x4_t from_f16x4(uint16x4_t halves) {
    return vcvt_f32_f16(vreinterpret_f16_u16(halves));
  }
  static NIBBLE_INLINE F32 load_f16(const uint16_t* p) {
    return make([=](int i) { return from_f16x4(vld1_u16(p + 4 * i)); });
  }
  static NIBBLE_INLINE F32 load_bf16(const uint16_t* p) {
    return make([=](int i) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p + 4 * i), 16)); });
  }
  static NIBBLE_INLINE uint16x4_t gather4(const char* p, ptrdiff_t stride, int count) {
    uint16_t halves[4] = {};
    for (int i = 0; i < 4; ++i) {
      if (i < count) std::memcpy(&halves[i], p + i * stride, sizeof halves[i]);
    }
    return vld1_u16(halves);
  }
  template <int stride>
  static NIBBLE_INLINE F32 gather_f16(const void* p, int count) {
    const char* at = static_cast<const char*>(p);
    if (count >= 8) count = 8;
    return {{from_f16x4(gather4(at, stride, count)),
             from_f16x4(gather4(at + 4 * stride, stride, count - 4)), vdupq_n_f32(0.0f),
             vdupq_n_f32(0.0f)}};
  }
  static NIBBLE_INLINE float from_f16(uint16_t h) {
    return vgetq_lane_f32(from_f16x4(vdup_n_u16(h)), 0);
  }
  static NIBBLE_INLINE float32x4_t from_u8x4(uint32_t word) {
    const uint16x8_t wide = vmovl_u8(vcreate_u8(word));
    return vcvtq_f32_u32(vmovl_u16(vget_low_u16(wide)));
  }
  static NIBBLE_INLINE F32 from_u8(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    return {{from_u8x4(a), from_u8x4(b), from_u8x4(c), from_u8x4(d)}};
  }
  static NIBBLE_INLINE F32 load_i8(const int8_t* p) {
    const int8x16_t bytes = vld1q_s8(p);
    const int16x8_t low = vmovl_s8(vget_low_s8(bytes)), high = vmovl_high_s8(bytes);
    return to_f32({{vmovl_s16(vget_low_s16(low)), vmovl_high_s16(low),
                    vmovl_s16(vget_low_s16(high)), vmovl_high_s16(high)}});
  }
  static NIBBLE_INLINE void store(float* p, F32 a) {
    for (int i = 0; i < 4; ++i) vst1q_f32(p + 4 * i, a.v[i]);
  }
  static NIBBLE_INLINE void store_f16(uint16_t* p, F32 a) {
    for (int i = 0; i < 4; ++i) vst1_u16(p + 4 * i, vreinterpret_u16_f16(vcvt_f16_f32(a.v[i])));
  }
  static NIBBLE_INLINE uint16x4_t bf16_from(float32x4_t a) {
    const uint32x4_t bits = vreinterpretq_u32_f32(a);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t number = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
    const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
    return vshrn_n_u32(vbslq_u32(vceqq_f32(a, a), number, quiet), 16);
  }
  static NIBBLE_INLINE void store_bf16(uint16_t* p, F32 a) {
    for (int i = 0; i < 4; ++i) vst1_u16(p + 4 * i, bf16_from(a.v[i]));
  }
  static NIBBLE_INLINE void store_i8(int8_t* p, F32 a) {
    const auto words = [&](int i) { return vreinterpretq_s16_s32(vcvtnq_s32_f32(a.v[i])); };
    const int16x8_t low = vuzp1q_s16(words(0), words(1)), high = vuzp1q_s16(words(2), words(3));
    vst1q_s8(p, vuzp1q_s8(vreinterpretq_s8_s16(low), vreinterpretq_s8_s16(high)));
  }
  static NIBBLE_INLINE void store_u8(uint8_t* p, F32 a) {
    store_i8(reinterpret_cast<int8_t*>(p), a);  // keeps the low byte of each integer
  }

  static NIBBLE_INLINE F32 add(F32 a, F32 b) {
    return make([&](int i) { return vaddq_f32(a.v[i], b.v[i]); });
  }
  static NIBBLE_INLINE F32 sub(F32 a, F32 b) {
    return make([&](int i) { return vsubq_f32(a.v[i], b.v[i]); });
  }
  static NIBBLE_INLINE F32 mul(F32 a, F32 b) {
    return make([&](int i) { return vmulq_f32(a.v[i], b.v[i]); });
  }
  static NIBBLE_INLINE F32 div(F32 a, F32 b) {
    return make([&](int i) { return vdivq_f32(a.v[i], b.v[i]); });
  }
  static NIBBLE_INLINE F32 fma(F32 a, F32 b, F32 c) {
    return make([&](int i) { return vfmaq_f32(c.v[i], a.v[i], b.v[i]); });
  }
  // fmax would give the number where a lane is NaN, and +0 for either order of zeros.
  static NIBBLE_INLINE float32x4_t larger(float32x4_t a, float32x4_t b) {
    return vbslq_f32(vcgtq_f32(a, b), a, b);
  }
  static NIBBLE_INLINE F32 max(F32 a, F32 b) {
    return make([&](int i) { return larger(a.v[i], b.v[i]); });
  }
  static NIBBLE_INLINE F32 min(F32 a, F32 b) {
    return make([&](int i) { return vbslq_f32(vcltq_f32(a.v[i], b.v[i]), a.v[i], b.v[i]); });
  }
  static NIBBLE_INLINE F32 abs(F32 a) {
    return make([&](int i) { return vabsq_f32(a.v[i]); });
  }
  static NIBBLE_INLINE F32 sqrt(F32 a) {
    return make([&](int i) { return vsqrtq_f32(a.v[i]); });
  }
  static NIBBLE_INLINE F32 round(F32 a) {
    return make([&](int i) { return vrndnq_f32(a.v[i]); });
  }
  static NIBBLE_INLINE F32 trunc(F32 a) {
    return make([&](int i) { return vrndq_f32(a.v[i]); });
  }
  static NIBBLE_INLINE float32x4_t power_of_2(float32x4_t n) {
    return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127)), 23));
  }
  static NIBBLE_INLINE F32 scale_by_power_of_2(F32 a, F32 n) {
    return make([&](int i) { return vmulq_f32(a.v[i], power_of_2(n.v[i])); });
  }
  static NIBBLE_INLINE Mask greater(F32 a, F32 b) {
    return make<Mask>([&](int i) { return vcgtq_f32(a.v[i], b.v[i]); });
  }
  static NIBBLE_INLINE F32 select(Mask mask, F32 yes, F32 no) {
    return make([&](int i) { return vbslq_f32(mask.v[i], yes.v[i], no.v[i]); });
  }
  static NIBBLE_INLINE float sum(F32 a) {
    const float32x4_t four = vaddq_f32(vaddq_f32(a.v[0], a.v[2]), vaddq_f32(a.v[1], a.v[3]));
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
  }
  static NIBBLE_INLINE float largest(F32 a) {
    const float32x4_t four = larger(larger(a.v[0], a.v[2]), larger(a.v[1], a.v[3]));
    const float32x4_t two = larger(four, vextq_f32(four, four, 2));
    return vgetq_lane_f32(larger(two, vextq_f32(two, two, 1)), 0);
  }

  template <int j>
  static NIBBLE_INLINE F32 spread2(F32 a) {
    constexpr int k = 2 * (j % 2);
    const float32x4_t first = vdupq_laneq_f32(a.v[j / 2], k);
    const float32x4_t second = vdupq_laneq_f32(a.v[j / 2], k + 1);
    return {{first, first, second, second}};
  }
  template <int j>
  static NIBBLE_INLINE F32 spread4(F32 a) {
    return {{vdupq_laneq_f32(a.v[j], 0), vdupq_laneq_f32(a.v[j], 1), vdupq_laneq_f32(a.v[j], 2),
             vdupq_laneq_f32(a.v[j], 3)}};
  }
  static NIBBLE_INLINE F32 twice(float32x4_t a, float32x4_t b) {
    return {{vzip1q_f32(a, a), vzip2q_f32(a, a), vzip1q_f32(b, b), vzip2q_f32(b, b)}};
  }
  static NIBBLE_INLINE F32 twice_low(F32 a) { return twice(a.v[0], a.v[1]); }
  static NIBBLE_INLINE F32 twice_high(F32 a) { return twice(a.v[2], a.v[3]); }
  static NIBBLE_INLINE float32x4_t pairs(float32x4_t a, float32x4_t b, bool high) {
    const float64x2_t x = vreinterpretq_f64_f32(a), y = vreinterpretq_f64_f32(b);
    return vreinterpretq_f32_f64(high ? vzip2q_f64(x, y) : vzip1q_f64(x, y));
  }
  static NIBBLE_INLINE void transpose4(float32x4_t* r0, float32x4_t* r1, float32x4_t* r2,
                                       float32x4_t* r3) {
    const float32x4_t a = vtrn1q_f32(*r0, *r1), b = vtrn2q_f32(*r0, *r1);
    const float32x4_t c = vtrn1q_f32(*r2, *r3), d = vtrn2q_f32(*r2, *r3);
    *r0 = pairs(a, c, false);
    *r1 = pairs(b, d, false);
    *r2 = pairs(a, c, true);
    *r3 = pairs(b, d, true);
  }
  static NIBBLE_INLINE void transpose(F32* r) {
    for (int i = 0; i < 16; i += 4) {  // 4 x 4 within each register
      for (int k = 0; k < 4; ++k)
        transpose4(&r[i].v[k], &r[i + 1].v[k], &r[i + 2].v[k], &r[i + 3].v[k]);
    }
    for (int i = 0; i < 16; ++i) {  // then the registers
      for (int k = 0; k < i / 4; ++k) {
        F32& other = r[4 * k + i % 4];
        const float32x4_t below = r[i].v[k];
        r[i].v[k] = other.v[i / 4];
        other.v[i / 4] = below;
      }
    }
  }
  static NIBBLE_INLINE F32 lookup(F32 table, I32 index) {
    const auto bytes = [&](int i) { return vreinterpretq_u8_f32(table.v[i]); };
    const uint8x16x4_t all = {{bytes(0), bytes(1), bytes(2), bytes(3)}};
    return make([&](int i) {  // the 4 bytes of a lane start at 4 times its index
      const uint32x4_t lanes = vreinterpretq_u32_s32(index.v[i]);
      const uint32x4_t at = vmlaq_n_u32(vdupq_n_u32(0x03020100), lanes, 0x04040404);
      return vreinterpretq_f32_u8(vqtbl4q_u8(all, vreinterpretq_u8_u32(at)));
    });
  }
  static NIBBLE_INLINE F32 set8(float a, float b, float c, float d, float e, float f, float g,
                                float h) {
    const float lanes[] = {a, b, c, d, e, f, g, h};
    return load_low8(lanes);
  }
  static NIBBLE_INLINE F32 halves(float a, float b) {
    return make([=](int i) { return vdupq_n_f32(i < 2 ? a : b); });
  }

  static NIBBLE_INLINE uint8x16_t bytes16(const void* p) {
    return vld1q_u8(static_cast<const uint8_t*>(p));
  }
  static NIBBLE_INLINE uint8x16_t bytes16(const void* p, int at) {
    return vld1q_u8(static_cast<const uint8_t*>(p) + at);
  }
  static NIBBLE_INLINE I8 load_bytes(const void* p) {
    return make<I8>([=](int i) { return bytes16(p, 16 * i); });
  }
  static NIBBLE_INLINE void store_bytes(void* p, I8 a) {
    for (int i = 0; i < 4; ++i) vst1q_u8(static_cast<uint8_t*>(p) + 16 * i, a.v[i]);
  }
  static NIBBLE_INLINE I8 load_two(const void* first, const void* second) {
    return {{bytes16(first), bytes16(first, 16), bytes16(second), bytes16(second, 16)}};
  }
  static NIBBLE_INLINE I8 load_two_twice(const void* first, const void* second) {
    return load_four(first, first, second, second);
  }
  static NIBBLE_INLINE I8 load_four(const void* a, const void* b, const void* c, const void* d) {
    return {{bytes16(a), bytes16(b), bytes16(c), bytes16(d)}};
  }
  static NIBBLE_INLINE I8 load_eights_twice(const void* p) {
    return make<I8>([=](int i) {
      const uint8x8_t eight = vld1_u8(static_cast<const uint8_t*>(p) + 8 * i);
      return vcombine_u8(eight, eight);
    });
  }
  template <int shift>
  static NIBBLE_INLINE uint8x16_t shifted(uint8x16_t x) {  // right; left when negative
    if constexpr (shift > 0) x = vshrq_n_u8(x, shift);
    if constexpr (shift < 0) x = vshlq_n_u8(x, -shift);
    return x;
  }
  template <int run, int a, int b, int mask>
  static NIBBLE_INLINE I8 shift_right(I8 x) {
    const int8x16_t counts = vcombine_s8(vdup_n_s8(-a), vdup_n_s8(-b));
    return make<I8>([&](int i) {
      const uint8x16_t moved = run == 8                ? vshlq_u8(x.v[i], counts)
                               : i * 16 / run % 2 == 0 ? shifted<a>(x.v[i])
                                                       : shifted<b>(x.v[i]);
      return vandq_u8(moved, vdupq_n_u8(mask));
    });
  }
  template <int shift, int mask>
  static NIBBLE_INLINE I8 bits(I8 x) {
    return make<I8>([&](int i) { return vandq_u8(shifted<shift>(x.v[i]), vdupq_n_u8(mask)); });
  }
  template <int bits>
  static NIBBLE_INLINE I8 shift_left(I8 x) {
    return make<I8>([&](int i) { return shifted<-bits>(x.v[i]); });
  }
  static NIBBLE_INLINE I8 bit_or(I8 a, I8 b) {
    return make<I8>([&](int i) { return vorrq_u8(a.v[i], b.v[i]); });
  }
  static NIBBLE_INLINE I8 lookup_bytes(const uint8_t* table, I8 x) {
    const uint8x16_t entries = vld1q_u8(table);
    return make<I8>([&](int i) { return vqtbl1q_u8(entries, x.v[i]); });
  }
  static NIBBLE_INLINE I8 bytes_from_bits(uint64_t bits, uint8_t value) {
    const uint8x8_t bit_of = vcreate_u8(0x8040201008040201);
    return make<I8>([=](int i) {
      const uint8x16_t bytes = vcombine_u8(vdup_n_u8(static_cast<uint8_t>(bits >> (16 * i))),
                                           vdup_n_u8(static_cast<uint8_t>(bits >> (16 * i + 8))));
      return vandq_u8(vtstq_u8(bytes, vcombine_u8(bit_of, bit_of)), vdupq_n_u8(value));
    });
  }
  static NIBBLE_INLINE I8 bytes_from_pairs(const uint8_t* p) {
    const uint8x16_t bytes = vld1q_u8(p);
    const int8x16_t shifts = vreinterpretq_s8_u32(vdupq_n_u32(0xfafcfe00));  // 0, -2, -4, -6
    return make<I8>([&](int i) {
      const uint32_t first = 0x04040404 * static_cast<uint32_t>(i);  // byte 4 i of 16
      const uint32x4_t at = {first, first + 0x01010101, first + 0x02020202, first + 0x03030303};
      const uint8x16_t four_times = vqtbl1q_u8(bytes, vreinterpretq_u8_u32(at));
      return vandq_u8(vshlq_u8(four_times, shifts), vdupq_n_u8(3));
    });
  }
  static NIBBLE_INLINE I8 base3_digits(I8 x, I8 power) {
    return make<I8>([&](int i) {
      const uint8x16_t fraction = vmulq_u8(x.v[i], power.v[i]), three = vdupq_n_u8(3);
      const uint16x8_t low = vmull_u8(vget_low_u8(fraction), vget_low_u8(three));
      const uint16x8_t high = vmull_high_u8(fraction, three);
      return vuzp2q_u8(vreinterpretq_u8_u16(low), vreinterpretq_u8_u16(high));
    });
  }

  static NIBBLE_INLINE I8 from_words(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                                     uint64_t f, uint64_t g, uint64_t h) {
    const auto two = [](uint64_t low, uint64_t high) {
      return vcombine_u8(vcreate_u8(low), vcreate_u8(high));
    };
    return {{two(a, b), two(c, d), two(e, f), two(g, h)}};
  }
  static NIBBLE_INLINE I8 negate_where(I8 x, uint64_t bits) {
    const I8 all = bytes_from_bits(bits, 0xff);  // -x = (x ^ ff) - ff
    return make<I8>([&](int i) { return vsubq_u8(veorq_u8(x.v[i], all.v[i]), all.v[i]); });
  }

  static constexpr int kPanelZero = 0;
  static NIBBLE_INLINE I8 broadcast4(const int8_t* p) {
    uint32_t four;
    std::memcpy(&four, p, sizeof four);
    return make<I8>([=](int) { return vreinterpretq_u8_u32(vdupq_n_u32(four)); });
  }
  static NIBBLE_INLINE I8 panel_bytes(I8 w) { return w; }
  static NIBBLE_INLINE I32 add_panel_dot(I32 sum, I8 w, I8 a) {
    return make<I32>([&](int i) {
      return vdotq_s32(sum.v[i], vreinterpretq_s8_u8(w.v[i]), vreinterpretq_s8_u8(a.v[i]));
    });
  }
  static NIBBLE_INLINE I32 set1_i32(int32_t x) {
    return make<I32>([=](int) { return vdupq_n_s32(x); });
  }
  static NIBBLE_INLINE I32 dot_us(I8 w, I8 a) { return dot_ss(w, a); }  // w is at most 127
  static NIBBLE_INLINE I32 dot_ss(I8 w, I8 a) { return add_panel_dot(set1_i32(0), w, a); }
  static NIBBLE_INLINE I32 to_i32(F32 a) {
    return make<I32>([&](int i) { return vcvtnq_s32_f32(a.v[i]); });
  }
  static NIBBLE_INLINE F32 to_f32(I32 a) {
    return make([&](int i) { return vcvtq_f32_s32(a.v[i]); });
  }
};

}  // namespace nibble
