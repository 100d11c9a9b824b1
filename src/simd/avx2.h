// Avx2: the vector type V (see scalar.h for what each operation means) in pairs of 256-bit
// registers. Needs AVX2, FMA and F16C.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "base/attributes.h"

namespace nibble {

struct Avx2 {
  static constexpr int kDotRows = 2;

  struct F32 {
    __m256 lo, hi;
  };
  struct I32 {
    __m256i lo, hi;
  };
  struct I8 {
    __m256i lo, hi;
  };
  using Mask = F32;

  static NIBBLE_INLINE F32 zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  static NIBBLE_INLINE F32 set1(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  static NIBBLE_INLINE F32 load(const float* p) {
    return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
  }
  static NIBBLE_INLINE F32 load_low8(const float* p) {
    return {_mm256_loadu_ps(p), _mm256_setzero_ps()};
  }
  static NIBBLE_INLINE __m256i first_lanes(int count) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lanes);
  }
  static NIBBLE_INLINE F32 load_first(const float* p, int count) {
    return {_mm256_maskload_ps(p, first_lanes(count)),
            _mm256_maskload_ps(p + 8, first_lanes(count - 8))};
  }
  static NIBBLE_INLINE F32 load_f16(const uint16_t* p) {
    return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))),
            _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8)))};
  }
  static NIBBLE_INLINE __m256 bf16x8(const uint16_t* p) {
    const __m256i wide =
        _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
  }
  static NIBBLE_INLINE F32 load_bf16(const uint16_t* p) { return {bf16x8(p), bf16x8(p + 8)}; }
  static NIBBLE_INLINE __m128i gather8(const void* p, ptrdiff_t stride, int count) {
    const char* at = static_cast<const char*>(p);
    const auto half = [=](int i) -> short {
      short h = 0;
      if (i < count) __builtin_memcpy(&h, at + i * stride, sizeof h);
      return h;
    };
    return _mm_setr_epi16(half(0), half(1), half(2), half(3), half(4), half(5), half(6), half(7));
  }
  template <int stride>
  static NIBBLE_INLINE F32 gather_f16(const void* p, int count) {
    const __m128i halves = count >= 8 ? gather8(p, stride, 8) : gather8(p, stride, count);
    return {_mm256_cvtph_ps(halves), _mm256_setzero_ps()};
  }
  static NIBBLE_INLINE float from_f16(uint16_t h) { return _cvtsh_ss(h); }
  static NIBBLE_INLINE F32 from_u8(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    const __m128i bytes = _mm_setr_epi32(static_cast<int>(a), static_cast<int>(b),
                                         static_cast<int>(c), static_cast<int>(d));
    return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)),
            _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)))};
  }
  static NIBBLE_INLINE F32 load_i8(const int8_t* p) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)),
            _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8)))};
  }
  static NIBBLE_INLINE void store(float* p, F32 a) {
    _mm256_storeu_ps(p, a.lo);
    _mm256_storeu_ps(p + 8, a.hi);
  }
  static NIBBLE_INLINE void store_f16(uint16_t* p, F32 a) {
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(a.lo, kNearest));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 8), _mm256_cvtps_ph(a.hi, kNearest));
  }
  static NIBBLE_INLINE __m128i bf16_from(__m256 a) {
    const __m256i bits = _mm256_castps_si256(a);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i bias = _mm256_add_epi32(_mm256_set1_epi32(0x7fff), odd);
    const __m256i number = _mm256_srli_epi32(_mm256_add_epi32(bits, bias), 16);
    const __m256i quiet = _mm256_or_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(64));
    const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(a, a, _CMP_UNORD_Q));
    const __m256i words = _mm256_blendv_epi8(number, quiet, is_nan);
    return _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  }
  static NIBBLE_INLINE void store_bf16(uint16_t* p, F32 a) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bf16_from(a.lo));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 8), bf16_from(a.hi));
  }
  static NIBBLE_INLINE void store_i8(int8_t* p, F32 a) {
    const __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(a.lo), _mm256_cvtps_epi32(a.hi));
    const __m256i ordered = _mm256_permute4x64_epi64(words, 0xd8);
    const __m128i bytes =
        _mm_packs_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
  }
  static NIBBLE_INLINE void store_u8(uint8_t* p, F32 a) {
    const __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(a.lo), _mm256_cvtps_epi32(a.hi));
    const __m256i ordered = _mm256_permute4x64_epi64(words, 0xd8);
    const __m128i bytes =
        _mm_packus_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
  }

  static NIBBLE_INLINE F32 add(F32 a, F32 b) {
    return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)};
  }
  static NIBBLE_INLINE F32 sub(F32 a, F32 b) {
    return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)};
  }
  static NIBBLE_INLINE F32 mul(F32 a, F32 b) {
    return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)};
  }
  static NIBBLE_INLINE F32 div(F32 a, F32 b) {
    return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)};
  }
  static NIBBLE_INLINE F32 fma(F32 a, F32 b, F32 c) {
    return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
  }
  static NIBBLE_INLINE F32 max(F32 a, F32 b) {
    return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)};
  }
  static NIBBLE_INLINE F32 min(F32 a, F32 b) {
    return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)};
  }
  static NIBBLE_INLINE F32 abs(F32 a) {
    const __m256 sign = _mm256_set1_ps(-0.0f);
    return {_mm256_andnot_ps(sign, a.lo), _mm256_andnot_ps(sign, a.hi)};
  }
  static NIBBLE_INLINE F32 sqrt(F32 a) { return {_mm256_sqrt_ps(a.lo), _mm256_sqrt_ps(a.hi)}; }
  static NIBBLE_INLINE F32 round(F32 a) {
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    return {_mm256_round_ps(a.lo, kNearest), _mm256_round_ps(a.hi, kNearest)};
  }
  static NIBBLE_INLINE F32 trunc(F32 a) {
    constexpr int kZero = _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC;
    return {_mm256_round_ps(a.lo, kZero), _mm256_round_ps(a.hi, kZero)};
  }
  static NIBBLE_INLINE __m256 power_of_2(__m256 n) {
    const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23));
  }
  static NIBBLE_INLINE F32 scale_by_power_of_2(F32 a, F32 n) {
    return {_mm256_mul_ps(a.lo, power_of_2(n.lo)), _mm256_mul_ps(a.hi, power_of_2(n.hi))};
  }
  static NIBBLE_INLINE Mask greater(F32 a, F32 b) {
    return {_mm256_cmp_ps(a.lo, b.lo, _CMP_GT_OQ), _mm256_cmp_ps(a.hi, b.hi, _CMP_GT_OQ)};
  }
  static NIBBLE_INLINE F32 select(Mask mask, F32 yes, F32 no) {
    return {_mm256_blendv_ps(no.lo, yes.lo, mask.lo), _mm256_blendv_ps(no.hi, yes.hi, mask.hi)};
  }
  static NIBBLE_INLINE float sum(F32 a) {
    const __m256 eight = _mm256_add_ps(a.lo, a.hi);
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static NIBBLE_INLINE float largest(F32 a) {
    const __m256 eight = _mm256_max_ps(a.lo, a.hi);
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }

  static NIBBLE_INLINE __m256 lanes(__m256 a, int i0, int i1, int i2, int i3, int i4, int i5,
                                    int i6, int i7) {
    return _mm256_permutevar8x32_ps(a, _mm256_setr_epi32(i0, i1, i2, i3, i4, i5, i6, i7));
  }
  template <int j>
  static NIBBLE_INLINE F32 spread2(F32 a) {
    constexpr int k = 2 * j;
    return {lanes(a.lo, k, k, k, k, k, k, k, k),
            lanes(a.lo, k + 1, k + 1, k + 1, k + 1, k + 1, k + 1, k + 1, k + 1)};
  }
  template <int j>
  static NIBBLE_INLINE F32 spread4(F32 a) {
    constexpr int k = 4 * (j % 2);
    const __m256 half = j < 2 ? a.lo : a.hi;
    return {lanes(half, k, k, k, k, k + 1, k + 1, k + 1, k + 1),
            lanes(half, k + 2, k + 2, k + 2, k + 2, k + 3, k + 3, k + 3, k + 3)};
  }
  static NIBBLE_INLINE F32 twice(__m256 a) {
    return {lanes(a, 0, 0, 1, 1, 2, 2, 3, 3), lanes(a, 4, 4, 5, 5, 6, 6, 7, 7)};
  }
  static NIBBLE_INLINE F32 twice_low(F32 a) { return twice(a.lo); }
  static NIBBLE_INLINE F32 twice_high(F32 a) { return twice(a.hi); }
  static NIBBLE_INLINE void transpose8(__m256* r0, __m256* r1, __m256* r2, __m256* r3, __m256* r4,
                                       __m256* r5, __m256* r6, __m256* r7) {
    const __m256 a0 = _mm256_unpacklo_ps(*r0, *r1), a1 = _mm256_unpackhi_ps(*r0, *r1);
    const __m256 a2 = _mm256_unpacklo_ps(*r2, *r3), a3 = _mm256_unpackhi_ps(*r2, *r3);
    const __m256 a4 = _mm256_unpacklo_ps(*r4, *r5), a5 = _mm256_unpackhi_ps(*r4, *r5);
    const __m256 a6 = _mm256_unpacklo_ps(*r6, *r7), a7 = _mm256_unpackhi_ps(*r6, *r7);
    const __m256 b0 = _mm256_shuffle_ps(a0, a2, 0x44), b1 = _mm256_shuffle_ps(a0, a2, 0xee);
    const __m256 b2 = _mm256_shuffle_ps(a1, a3, 0x44), b3 = _mm256_shuffle_ps(a1, a3, 0xee);
    const __m256 b4 = _mm256_shuffle_ps(a4, a6, 0x44), b5 = _mm256_shuffle_ps(a4, a6, 0xee);
    const __m256 b6 = _mm256_shuffle_ps(a5, a7, 0x44), b7 = _mm256_shuffle_ps(a5, a7, 0xee);
    *r0 = _mm256_permute2f128_ps(b0, b4, 0x20);
    *r1 = _mm256_permute2f128_ps(b1, b5, 0x20);
    *r2 = _mm256_permute2f128_ps(b2, b6, 0x20);
    *r3 = _mm256_permute2f128_ps(b3, b7, 0x20);
    *r4 = _mm256_permute2f128_ps(b0, b4, 0x31);
    *r5 = _mm256_permute2f128_ps(b1, b5, 0x31);
    *r6 = _mm256_permute2f128_ps(b2, b6, 0x31);
    *r7 = _mm256_permute2f128_ps(b3, b7, 0x31);
  }
  static NIBBLE_INLINE void transpose(F32* r) {
    for (int i = 0; i < 16; i += 8) {
      transpose8(&r[i].lo, &r[i + 1].lo, &r[i + 2].lo, &r[i + 3].lo, &r[i + 4].lo, &r[i + 5].lo,
                 &r[i + 6].lo, &r[i + 7].lo);
      transpose8(&r[i].hi, &r[i + 1].hi, &r[i + 2].hi, &r[i + 3].hi, &r[i + 4].hi, &r[i + 5].hi,
                 &r[i + 6].hi, &r[i + 7].hi);
    }
    for (int i = 0; i < 8; ++i) {
      const __m256 upper = r[i].hi;
      r[i].hi = r[i + 8].lo;
      r[i + 8].lo = upper;
    }
  }
  static NIBBLE_INLINE __m256 lookup8(F32 table, __m256i index) {
    const __m256 low = _mm256_permutevar8x32_ps(table.lo, index);
    const __m256 high = _mm256_permutevar8x32_ps(table.hi, index);
    return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)));
  }
  static NIBBLE_INLINE F32 lookup(F32 table, I32 index) {
    return {lookup8(table, index.lo), lookup8(table, index.hi)};
  }
  static NIBBLE_INLINE F32 set8(float a, float b, float c, float d, float e, float f, float g,
                                float h) {
    return {_mm256_setr_ps(a, b, c, d, e, f, g, h), _mm256_setzero_ps()};
  }
  static NIBBLE_INLINE F32 halves(float a, float b) {
    return {_mm256_set1_ps(a), _mm256_set1_ps(b)};
  }

  static NIBBLE_INLINE __m256i bytes32(const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
  }
  static NIBBLE_INLINE I8 load_bytes(const void* p) {
    return {bytes32(p), bytes32(static_cast<const char*>(p) + 32)};
  }
  static NIBBLE_INLINE void store_bytes(void* p, I8 a) {
    _mm256_storeu_si256(static_cast<__m256i*>(p), a.lo);
    _mm256_storeu_si256(static_cast<__m256i*>(p) + 1, a.hi);
  }
  static NIBBLE_INLINE I8 load_two(const void* first, const void* second) {
    return {bytes32(first), bytes32(second)};
  }
  static NIBBLE_INLINE __m256i bytes16_twice(const void* p) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(static_cast<const __m128i*>(p)));
  }
  static NIBBLE_INLINE I8 load_two_twice(const void* first, const void* second) {
    return {bytes16_twice(first), bytes16_twice(second)};
  }
  static NIBBLE_INLINE I8 load_four(const void* a, const void* b, const void* c, const void* d) {
    const auto at = [](const void* p) { return static_cast<const __m128i*>(p); };
    return {_mm256_loadu2_m128i(at(b), at(a)), _mm256_loadu2_m128i(at(d), at(c))};
  }
  static NIBBLE_INLINE I8 load_eights_twice(const void* p) {
    const __m256i eights = bytes32(p);
    return {_mm256_permute4x64_epi64(eights, 0x50), _mm256_permute4x64_epi64(eights, 0xfa)};
  }
  template <int run, int a, int b, int mask>
  static NIBBLE_INLINE I8 shift_right(I8 x) {
    const __m256i keep = _mm256_set1_epi8(mask);
    if constexpr (run == 32) {
      return {_mm256_and_si256(_mm256_srli_epi16(x.lo, a), keep),
              _mm256_and_si256(_mm256_srli_epi16(x.hi, b), keep)};
    } else {
      const __m256i count = run == 16 ? _mm256_setr_epi32(a, a, a, a, b, b, b, b)
                                      : _mm256_setr_epi32(a, a, b, b, a, a, b, b);
      return {_mm256_and_si256(_mm256_srlv_epi32(x.lo, count), keep),
              _mm256_and_si256(_mm256_srlv_epi32(x.hi, count), keep)};
    }
  }
  template <int shift, int mask>
  static NIBBLE_INLINE __m256i bits32(__m256i x) {
    if constexpr (shift > 0) x = _mm256_srli_epi16(x, shift);
    if constexpr (shift < 0) x = _mm256_slli_epi16(x, -shift);
    return _mm256_and_si256(x, _mm256_set1_epi8(static_cast<char>(mask)));
  }
  template <int shift, int mask>
  static NIBBLE_INLINE I8 bits(I8 x) {
    return {bits32<shift, mask>(x.lo), bits32<shift, mask>(x.hi)};
  }
  template <int bits>
  static NIBBLE_INLINE I8 shift_left(I8 x) {
    const __m256i keep = _mm256_set1_epi8(static_cast<char>(0xff << bits));
    return {_mm256_and_si256(_mm256_slli_epi16(x.lo, bits), keep),
            _mm256_and_si256(_mm256_slli_epi16(x.hi, bits), keep)};
  }
  static NIBBLE_INLINE I8 bit_or(I8 a, I8 b) {
    return {_mm256_or_si256(a.lo, b.lo), _mm256_or_si256(a.hi, b.hi)};
  }
  static NIBBLE_INLINE I8 lookup_bytes(const uint8_t* table, I8 x) {
    const __m256i both = bytes16_twice(table);
    return {_mm256_shuffle_epi8(both, x.lo), _mm256_shuffle_epi8(both, x.hi)};
  }
  static NIBBLE_INLINE __m256i bytes_from_32_bits(uint32_t bits, uint8_t value) {
    const __m256i byte_of = _mm256_setr_epi64x(0x0000000000000000, 0x0101010101010101,
                                               0x0202020202020202, 0x0303030303030303);
    const __m256i bit_of = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));
    const __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(bits)), byte_of);
    const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit_of), bit_of);
    return _mm256_and_si256(set, _mm256_set1_epi8(static_cast<char>(value)));
  }
  static NIBBLE_INLINE I8 bytes_from_bits(uint64_t bits, uint8_t value) {
    return {bytes_from_32_bits(static_cast<uint32_t>(bits), value),
            bytes_from_32_bits(static_cast<uint32_t>(bits >> 32), value)};
  }
  static NIBBLE_INLINE __m256i bytes_from_8_pairs(const uint8_t* p) {
    // a byte b in 32 bits; b + (b << 6) + (b << 12) + (b << 18) has its pairs at bits 0, 8, 16, 24
    const __m256i b = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    const __m256i two = _mm256_or_si256(b, _mm256_slli_epi32(b, 6));
    const __m256i four = _mm256_or_si256(two, _mm256_slli_epi32(two, 12));
    return _mm256_and_si256(four, _mm256_set1_epi8(3));
  }
  static NIBBLE_INLINE I8 bytes_from_pairs(const uint8_t* p) {
    return {bytes_from_8_pairs(p), bytes_from_8_pairs(p + 8)};
  }
  static NIBBLE_INLINE __m256i base3_digits32(__m256i x, __m256i power) {
    const __m256i low = _mm256_set1_epi16(0xff);
    const __m256i even = _mm256_and_si256(_mm256_mullo_epi16(x, power), low);
    const __m256i odd = _mm256_and_si256(
        _mm256_mullo_epi16(_mm256_srli_epi16(x, 8), _mm256_srli_epi16(power, 8)), low);
    const __m256i three = _mm256_set1_epi16(3);
    return _mm256_or_si256(_mm256_srli_epi16(_mm256_mullo_epi16(even, three), 8),
                           _mm256_andnot_si256(low, _mm256_mullo_epi16(odd, three)));
  }
  static NIBBLE_INLINE I8 base3_digits(I8 x, I8 power) {
    return {base3_digits32(x.lo, power.lo), base3_digits32(x.hi, power.hi)};
  }

  static NIBBLE_INLINE __m256i from_4_words(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    return _mm256_setr_epi64x(static_cast<int64_t>(a), static_cast<int64_t>(b),
                              static_cast<int64_t>(c), static_cast<int64_t>(d));
  }
  static NIBBLE_INLINE I8 from_words(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                                     uint64_t f, uint64_t g, uint64_t h) {
    return {from_4_words(a, b, c, d), from_4_words(e, f, g, h)};
  }
  static NIBBLE_INLINE I8 negate_where(I8 x, uint64_t bits) {
    const I8 all = bytes_from_bits(bits, 0xff);  // -x = (x ^ ff) - ff
    return {_mm256_sub_epi8(_mm256_xor_si256(x.lo, all.lo), all.lo),
            _mm256_sub_epi8(_mm256_xor_si256(x.hi, all.hi), all.hi)};
  }

  // Pairs fit 16 bits: 2 * 127 * 127 (us) and 2 * 128 * 127 (ss) are below 32768.
  static NIBBLE_INLINE __m256i dot4(__m256i unsigned_bytes, __m256i signed_bytes) {
    return _mm256_madd_epi16(_mm256_maddubs_epi16(unsigned_bytes, signed_bytes),
                             _mm256_set1_epi16(1));
  }
  static constexpr int kPanelZero = 0;
  static NIBBLE_INLINE I8 broadcast4(const int8_t* p) {
    int32_t four;
    __builtin_memcpy(&four, p, sizeof four);
    return {_mm256_set1_epi32(four), _mm256_set1_epi32(four)};
  }
  static NIBBLE_INLINE I8 panel_bytes(I8 w) { return w; }
  static NIBBLE_INLINE I32 add_panel_dot(I32 sum, I8 w, I8 a) {
    const I32 products = dot_ss(w, a);
    return {_mm256_add_epi32(sum.lo, products.lo), _mm256_add_epi32(sum.hi, products.hi)};
  }
  static NIBBLE_INLINE I32 set1_i32(int32_t x) {
    return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)};
  }
  static NIBBLE_INLINE I32 dot_us(I8 w, I8 a) { return {dot4(w.lo, a.lo), dot4(w.hi, a.hi)}; }
  static NIBBLE_INLINE I32 dot_ss(I8 w, I8 a) {
    return {dot4(_mm256_abs_epi8(w.lo), _mm256_sign_epi8(a.lo, w.lo)),
            dot4(_mm256_abs_epi8(w.hi), _mm256_sign_epi8(a.hi, w.hi))};
  }
  static NIBBLE_INLINE I32 to_i32(F32 a) {
    return {_mm256_cvtps_epi32(a.lo), _mm256_cvtps_epi32(a.hi)};
  }
  static NIBBLE_INLINE F32 to_f32(I32 a) {
    return {_mm256_cvtepi32_ps(a.lo), _mm256_cvtepi32_ps(a.hi)};
  }
};

}  // namespace nibble
