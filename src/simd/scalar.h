// Scalar: the vector type V in plain C++, and the definition of what every ISA must compute.
//
// V is a logical vector of 64 bytes, whatever the machine's registers are: F32 and I32 have 16
// lanes, I8 has 64. Every operation is exact or rounds in the one way written here, and sums have
// one fixed order, so an algorithm written over V gives the same bits on every ISA
// (docs/decisions/0002-logical-vector.md).
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/attributes.h"
#include "base/numeric.h"

namespace nibble {

struct Scalar {
  // Rows whose dot products run side by side: as the registers allow.
  static constexpr int kDotRows = 1;

  struct F32 {
    float v[16];
  };
  struct I32 {
    int32_t v[16];
  };
  struct I8 {
    uint8_t v[64];
  };
  struct Mask {
    bool v[16];
  };

  template <class Function>
  static NIBBLE_INLINE F32 make(Function function) {
    F32 r;
    for (int i = 0; i < 16; ++i) r.v[i] = function(i);
    return r;
  }
  template <class Function>
  static NIBBLE_INLINE I8 make8(Function function) {
    I8 r;
    for (int i = 0; i < 64; ++i) r.v[i] = static_cast<uint8_t>(function(i));
    return r;
  }

  // --- float lanes: load and store
  // -------------------------------------------------------------------
  static NIBBLE_INLINE F32 zero() { return set1(0.0f); }
  static NIBBLE_INLINE F32 set1(float x) {
    return make([=](int) { return x; });
  }
  static NIBBLE_INLINE F32 load(const float* p) {
    return make([=](int i) { return p[i]; });
  }
  // The first 8 lanes; the others are zero.
  static NIBBLE_INLINE F32 load_low8(const float* p) {
    return make([=](int i) { return i < 8 ? p[i] : 0.0f; });
  }
  // The first `count` (0..16) lanes; the others are zero and their memory is not touched.
  static NIBBLE_INLINE F32 load_first(const float* p, int count) {
    return make([=](int i) { return i < count ? p[i] : 0.0f; });
  }
  static NIBBLE_INLINE F32 load_f16(const uint16_t* p) {
    return make([=](int i) { return f32_from_f16(p[i]); });
  }
  static NIBBLE_INLINE F32 load_bf16(const uint16_t* p) {
    return make([=](int i) { return f32_from_bf16(p[i]); });
  }
  // 8 binary16 numbers that lie `stride` bytes apart, of which the first `count` exist; other lanes
  // are zero.
  template <int stride>
  static NIBBLE_INLINE F32 gather_f16(const void* p, int count) {
    return make([=](int i) {
      uint16_t h = 0;
      if (i < 8 && i < count) std::memcpy(&h, static_cast<const char*>(p) + i * stride, sizeof h);
      return f32_from_f16(h);
    });
  }
  static NIBBLE_INLINE float from_f16(uint16_t h) { return f32_from_f16(h); }
  // The 16 bytes of 4 words, lowest byte of the first word first.
  static NIBBLE_INLINE F32 from_u8(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    return make([=](int i) {
      const uint32_t word = i < 4 ? a : i < 8 ? b : i < 12 ? c : d;
      return static_cast<float>(word >> (8 * (i % 4)) & 0xff);
    });
  }
  static NIBBLE_INLINE F32 load_i8(const int8_t* p) {
    return make([=](int i) { return static_cast<float>(p[i]); });
  }
  static NIBBLE_INLINE void store(float* p, F32 a) { std::memcpy(p, a.v, sizeof a.v); }
  static NIBBLE_INLINE void store_f16(uint16_t* p, F32 a) {
    for (int i = 0; i < 16; ++i) p[i] = f16_from_f32(a.v[i]);
  }
  static NIBBLE_INLINE void store_bf16(uint16_t* p, F32 a) {
    for (int i = 0; i < 16; ++i) p[i] = bf16_from_f32(a.v[i]);
  }
  // Lanes that hold integers in [-128, 127].
  static NIBBLE_INLINE void store_i8(int8_t* p, F32 a) {
    for (int i = 0; i < 16; ++i) p[i] = static_cast<int8_t>(a.v[i]);
  }
  // Lanes that hold integers in [0, 255].
  static NIBBLE_INLINE void store_u8(uint8_t* p, F32 a) {
    for (int i = 0; i < 16; ++i) p[i] = static_cast<uint8_t>(a.v[i]);
  }

  // --- float lanes: arithmetic
  // -----------------------------------------------------------------------
  static NIBBLE_INLINE F32 add(F32 a, F32 b) {
    return make([&](int i) { return a.v[i] + b.v[i]; });
  }
  static NIBBLE_INLINE F32 sub(F32 a, F32 b) {
    return make([&](int i) { return a.v[i] - b.v[i]; });
  }
  static NIBBLE_INLINE F32 mul(F32 a, F32 b) {
    return make([&](int i) { return a.v[i] * b.v[i]; });
  }
  static NIBBLE_INLINE F32 div(F32 a, F32 b) {
    return make([&](int i) { return a.v[i] / b.v[i]; });
  }
  static NIBBLE_INLINE F32 fma(F32 a, F32 b, F32 c) {  // a * b + c, rounded once
    return make([&](int i) { return std::fma(a.v[i], b.v[i], c.v[i]); });
  }
  static NIBBLE_INLINE F32 max(F32 a, F32 b) {  // b where a lane is NaN, as x86 has it
    return make([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
  }
  static NIBBLE_INLINE F32 min(F32 a, F32 b) {
    return make([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
  }
  static NIBBLE_INLINE F32 abs(F32 a) {
    return make([&](int i) { return std::fabs(a.v[i]); });
  }
  static NIBBLE_INLINE F32 sqrt(F32 a) {
    return make([&](int i) { return std::sqrt(a.v[i]); });
  }
  static NIBBLE_INLINE F32 round(F32 a) {  // to the nearest integer, ties to even
    return make([&](int i) { return std::nearbyint(a.v[i]); });
  }
  static NIBBLE_INLINE F32 trunc(F32 a) {
    return make([&](int i) { return std::trunc(a.v[i]); });
  }
  // a * 2^n for integral n in [-126, 127] and a normal result
  static NIBBLE_INLINE F32 scale_by_power_of_2(F32 a, F32 n) {
    return make([&](int i) { return std::ldexp(a.v[i], static_cast<int>(n.v[i])); });
  }
  static NIBBLE_INLINE Mask greater(F32 a, F32 b) {
    Mask r;
    for (int i = 0; i < 16; ++i) r.v[i] = a.v[i] > b.v[i];
    return r;
  }
  static NIBBLE_INLINE F32 select(Mask mask, F32 yes, F32 no) {
    return make([&](int i) { return mask.v[i] ? yes.v[i] : no.v[i]; });
  }

  // Lanes i and i + 8 first, then i + 4, i + 2, i + 1.
  static NIBBLE_INLINE float sum(F32 a) {
    for (int step = 8; step > 0; step /= 2) {
      for (int i = 0; i < step; ++i) a.v[i] += a.v[i + step];
    }
    return a.v[0];
  }
  static NIBBLE_INLINE float largest(F32 a) {
    for (int step = 8; step > 0; step /= 2) {
      for (int i = 0; i < step; ++i) a.v[i] = a.v[i] > a.v[i + step] ? a.v[i] : a.v[i + step];
    }
    return a.v[0];
  }

  // --- float lanes: permutations
  // --------------------------------------------------------------------- Lanes 0-7 get lane 2j,
  // lanes 8-15 lane 2j + 1: one factor for each 32 of 64 weights. j in 0..3.
  template <int j>
  static NIBBLE_INLINE F32 spread2(F32 a) {
    return make([&](int i) { return a.v[2 * j + i / 8]; });
  }
  // Lanes 4k..4k+3 get lane 4j + k: one factor for each 16 of 64 weights. j in 0..3.
  template <int j>
  static NIBBLE_INLINE F32 spread4(F32 a) {
    return make([&](int i) { return a.v[4 * j + i / 4]; });
  }
  // Every one of the lanes 0-7 (8-15) twice.
  static NIBBLE_INLINE F32 twice_low(F32 a) {
    return make([&](int i) { return a.v[i / 2]; });
  }
  static NIBBLE_INLINE F32 twice_high(F32 a) {
    return make([&](int i) { return a.v[8 + i / 2]; });
  }
  // Lane i of rows[k] and lane k of rows[i] change places, for 16 rows.
  static NIBBLE_INLINE void transpose(F32* rows) {
    for (int i = 0; i < 16; ++i) {
      for (int k = 0; k < i; ++k) {
        const float x = rows[i].v[k];
        rows[i].v[k] = rows[k].v[i];
        rows[k].v[i] = x;
      }
    }
  }
  // Lane i gets lane index[i] (0..15) of the table.
  static NIBBLE_INLINE F32 lookup(F32 table, I32 index) {
    return make([&](int i) { return table.v[index.v[i]]; });
  }
  // Lanes 0-7; the others are zero.
  static NIBBLE_INLINE F32 set8(float a, float b, float c, float d, float e, float f, float g,
                                float h) {
    return {{a, b, c, d, e, f, g, h}};
  }
  // Lanes 0-7 get a, lanes 8-15 get b.
  static NIBBLE_INLINE F32 halves(float a, float b) {
    return make([=](int i) { return i < 8 ? a : b; });
  }

  // --- bytes
  // -----------------------------------------------------------------------------------------
  static NIBBLE_INLINE I8 load_bytes(const void* p) {
    I8 r;
    std::memcpy(r.v, p, 64);
    return r;
  }
  static NIBBLE_INLINE void store_bytes(void* p, I8 a) { std::memcpy(p, a.v, 64); }
  // 32 bytes from each of two places.
  static NIBBLE_INLINE I8 load_two(const void* first, const void* second) {
    I8 r;
    std::memcpy(r.v, first, 32);
    std::memcpy(r.v + 32, second, 32);
    return r;
  }
  // 16 bytes from each of two places, each followed by itself: a a b b.
  static NIBBLE_INLINE I8 load_two_twice(const void* first, const void* second) {
    I8 r;
    std::memcpy(r.v, first, 16);
    std::memcpy(r.v + 16, first, 16);
    std::memcpy(r.v + 32, second, 16);
    std::memcpy(r.v + 48, second, 16);
    return r;
  }
  // 16 bytes from each of four places.
  static NIBBLE_INLINE I8 load_four(const void* a, const void* b, const void* c, const void* d) {
    I8 r;
    std::memcpy(r.v, a, 16);
    std::memcpy(r.v + 16, b, 16);
    std::memcpy(r.v + 32, c, 16);
    std::memcpy(r.v + 48, d, 16);
    return r;
  }
  // 32 bytes, every 8 of them followed by themselves: a a b b c c d d.
  static NIBBLE_INLINE I8 load_eights_twice(const void* p) {
    I8 r;
    for (int i = 0; i < 8; ++i) {
      std::memcpy(r.v + 8 * i, static_cast<const char*>(p) + 8 * (i / 2), 8);
    }
    return r;
  }
  // Every byte shifted right; `a` bits in the even, `b` in the odd runs of `run` (8, 16 or 32)
  // bytes; then masked.
  template <int run, int a, int b, int mask>
  static NIBBLE_INLINE I8 shift_right(I8 x) {
    return make8([&](int i) { return (x.v[i] >> ((i / run) % 2 == 0 ? a : b)) & mask; });
  }
  // Every byte shifted right by `shift` bits (left when negative), then masked.
  template <int shift, int mask>
  static NIBBLE_INLINE I8 bits(I8 x) {
    return make8([&](int i) { return (shift < 0 ? x.v[i] << -shift : x.v[i] >> shift) & mask; });
  }
  template <int bits>
  static NIBBLE_INLINE I8 shift_left(I8 x) {  // within bytes
    return make8([&](int i) { return x.v[i] << bits; });
  }
  static NIBBLE_INLINE I8 bit_or(I8 a, I8 b) {
    return make8([&](int i) { return a.v[i] | b.v[i]; });
  }
  // Byte i is table[x[i]], for bytes x[i] in 0..15.
  static NIBBLE_INLINE I8 lookup_bytes(const uint8_t* table, I8 x) {
    return make8([&](int i) { return table[x.v[i]]; });
  }
  // Byte i is `value` where bit i is set, else 0.
  static NIBBLE_INLINE I8 bytes_from_bits(uint64_t bits, uint8_t value) {
    return make8([=](int i) { return (bits >> i & 1) != 0 ? value : 0; });
  }
  // Byte i is bits 2 (i % 4) and the next of byte i / 4 of 16.
  static NIBBLE_INLINE I8 bytes_from_pairs(const uint8_t* p) {
    return make8([=](int i) { return p[i / 4] >> (2 * (i % 4)) & 3; });
  }
  // Byte i is a digit in base 3 of the number that x[i] / 256 is in [0, 1): the first after the
  // point for power[i] = 1, the one after n more for 3^n.
  static NIBBLE_INLINE I8 base3_digits(I8 x, I8 power) {
    return make8([&](int i) { return static_cast<uint8_t>(x.v[i] * power.v[i]) * 3 >> 8; });
  }

  // The bytes of 8 words, lowest first.
  static NIBBLE_INLINE I8 from_words(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                                     uint64_t f, uint64_t g, uint64_t h) {
    const uint64_t words[] = {a, b, c, d, e, f, g, h};
    return make8([&](int i) { return words[i / 8] >> (8 * (i % 8)) & 0xff; });
  }
  // Byte i is -x[i] where bit i is set.
  static NIBBLE_INLINE I8 negate_where(I8 x, uint64_t bits) {
    return make8([&](int i) { return (bits >> i & 1) != 0 ? -x.v[i] : x.v[i]; });
  }

  // Sums of 4 neighbouring products, weights unsigned in 0..127 (us) or signed (ss), activations in
  // -127..127.
  // Panels (kernel/panel.h): 4 activations in every lane; signed weights as add_panel_dot takes
  // them, which is kPanelZero more than they are.
  static constexpr int kPanelZero = 0;
  static NIBBLE_INLINE I8 broadcast4(const int8_t* p) {
    return make8([=](int i) { return p[i % 4]; });
  }
  static NIBBLE_INLINE I8 panel_bytes(I8 w) { return w; }
  static NIBBLE_INLINE I32 add_panel_dot(I32 sum, I8 w, I8 a) {
    const I32 products = dot_ss(w, a);
    for (int i = 0; i < 16; ++i) sum.v[i] += products.v[i];
    return sum;
  }
  static NIBBLE_INLINE I32 set1_i32(int32_t x) {
    I32 r;
    for (int i = 0; i < 16; ++i) r.v[i] = x;
    return r;
  }
  static NIBBLE_INLINE I32 dot_us(I8 w, I8 a) {
    I32 r;
    for (int i = 0; i < 16; ++i) {
      int32_t total = 0;
      for (int k = 4 * i; k < 4 * i + 4; ++k) total += w.v[k] * static_cast<int8_t>(a.v[k]);
      r.v[i] = total;
    }
    return r;
  }
  static NIBBLE_INLINE I32 dot_ss(I8 w, I8 a) {
    I32 r;
    for (int i = 0; i < 16; ++i) {
      int32_t total = 0;
      for (int k = 4 * i; k < 4 * i + 4; ++k) {
        total += static_cast<int8_t>(w.v[k]) * static_cast<int8_t>(a.v[k]);
      }
      r.v[i] = total;
    }
    return r;
  }
  static NIBBLE_INLINE I32 to_i32(F32 a) {  // to the nearest integer, ties to even
    I32 r;
    for (int i = 0; i < 16; ++i) r.v[i] = static_cast<int32_t>(std::nearbyint(a.v[i]));
    return r;
  }
  static NIBBLE_INLINE F32 to_f32(I32 a) {
    return make([&](int i) { return static_cast<float>(a.v[i]); });
  }
};

}  // namespace nibble
