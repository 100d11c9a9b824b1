// Avx512: the vector type V (see scalar.h for what each operation means) in one 512-bit register.
// Needs AVX-512 F, BW, DQ, VL and VNNI.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "base/attributes.h"

namespace nibble {

struct Avx512 {
  static constexpr int kDotRows = 4;

  using F32 = __m512;
  using I32 = __m512i;
  using I8 = __m512i;
  using Mask = __mmask16;

  static NIBBLE_INLINE F32 zero() { return _mm512_setzero_ps(); }
  static NIBBLE_INLINE F32 set1(float x) { return _mm512_set1_ps(x); }
  static NIBBLE_INLINE F32 load(const float* p) { return _mm512_loadu_ps(p); }
  static NIBBLE_INLINE F32 load_low8(const float* p) { return _mm512_maskz_loadu_ps(0x00ff, p); }
  static NIBBLE_INLINE F32 load_first(const float* p, int count) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), p);
  }
  static NIBBLE_INLINE F32 load_f16(const uint16_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static NIBBLE_INLINE F32 load_bf16(const uint16_t* p) {
    const __m512i wide =
        _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
  }
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
    return _mm512_cvtph_ps(_mm256_zextsi128_si256(halves));
  }
  static NIBBLE_INLINE float from_f16(uint16_t h) { return _cvtsh_ss(h); }
  static NIBBLE_INLINE F32 from_u8(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_setr_epi32(
        static_cast<int>(a), static_cast<int>(b), static_cast<int>(c), static_cast<int>(d))));
  }
  static NIBBLE_INLINE F32 load_i8(const int8_t* p) {
    return _mm512_cvtepi32_ps(
        _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static NIBBLE_INLINE void store(float* p, F32 a) { _mm512_storeu_ps(p, a); }
  static NIBBLE_INLINE void store_f16(uint16_t* p, F32 a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
  static NIBBLE_INLINE void store_bf16(uint16_t* p, F32 a) {
    const __m512i bits = _mm512_castps_si512(a);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i bias = _mm512_add_epi32(_mm512_set1_epi32(0x7fff), odd);
    const __m512i number = _mm512_srli_epi32(_mm512_add_epi32(bits, bias), 16);
    const __m512i quiet = _mm512_or_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(64));
    const __mmask16 is_nan = _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtepi32_epi16(_mm512_mask_blend_epi32(is_nan, number, quiet)));
  }
  static NIBBLE_INLINE void store_i8(int8_t* p, F32 a) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(a)));
  }
  static NIBBLE_INLINE void store_u8(uint8_t* p, F32 a) {
    store_i8(reinterpret_cast<int8_t*>(p), a);  // keeps the low byte of each integer
  }

  static NIBBLE_INLINE F32 add(F32 a, F32 b) { return _mm512_add_ps(a, b); }
  static NIBBLE_INLINE F32 sub(F32 a, F32 b) { return _mm512_sub_ps(a, b); }
  static NIBBLE_INLINE F32 mul(F32 a, F32 b) { return _mm512_mul_ps(a, b); }
  static NIBBLE_INLINE F32 div(F32 a, F32 b) { return _mm512_div_ps(a, b); }
  static NIBBLE_INLINE F32 fma(F32 a, F32 b, F32 c) { return _mm512_fmadd_ps(a, b, c); }
  static NIBBLE_INLINE F32 max(F32 a, F32 b) { return _mm512_max_ps(a, b); }
  static NIBBLE_INLINE F32 min(F32 a, F32 b) { return _mm512_min_ps(a, b); }
  static NIBBLE_INLINE F32 abs(F32 a) { return _mm512_abs_ps(a); }
  static NIBBLE_INLINE F32 sqrt(F32 a) { return _mm512_sqrt_ps(a); }
  static NIBBLE_INLINE F32 round(F32 a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static NIBBLE_INLINE F32 trunc(F32 a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
  }
  static NIBBLE_INLINE F32 scale_by_power_of_2(F32 a, F32 n) { return _mm512_scalef_ps(a, n); }
  static NIBBLE_INLINE Mask greater(F32 a, F32 b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
  static NIBBLE_INLINE F32 select(Mask mask, F32 yes, F32 no) {
    return _mm512_mask_blend_ps(mask, no, yes);
  }
  static NIBBLE_INLINE float sum(F32 a) {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static NIBBLE_INLINE float largest(F32 a) {
    const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }

  static NIBBLE_INLINE F32 lanes(F32 a, int k0, int k1, int k2, int k3) {  // four lanes of each
    return _mm512_permutexvar_ps(
        _mm512_setr_epi32(k0, k0, k0, k0, k1, k1, k1, k1, k2, k2, k2, k2, k3, k3, k3, k3), a);
  }
  template <int j>
  static NIBBLE_INLINE F32 spread2(F32 a) {
    return lanes(a, 2 * j, 2 * j, 2 * j + 1, 2 * j + 1);
  }
  template <int j>
  static NIBBLE_INLINE F32 spread4(F32 a) {
    return lanes(a, 4 * j, 4 * j + 1, 4 * j + 2, 4 * j + 3);
  }
  static NIBBLE_INLINE F32 twice_low(F32 a) {
    return _mm512_permutexvar_ps(_mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7),
                                 a);
  }
  static NIBBLE_INLINE F32 twice_high(F32 a) {
    return _mm512_permutexvar_ps(
        _mm512_setr_epi32(8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15), a);
  }
  static NIBBLE_INLINE F32 unpack_pairs(F32 a, F32 b, bool high) {
    const __m512d x = _mm512_castps_pd(a), y = _mm512_castps_pd(b);
    return _mm512_castpd_ps(high ? _mm512_unpackhi_pd(x, y) : _mm512_unpacklo_pd(x, y));
  }
  static NIBBLE_INLINE void transpose(F32* r) {
    F32 a[16];
    for (int i = 0; i < 16; i += 4) {  // 4 x 4 within each quarter of the lanes
      const F32 t0 = _mm512_unpacklo_ps(r[i], r[i + 1]), t1 = _mm512_unpackhi_ps(r[i], r[i + 1]);
      const F32 t2 = _mm512_unpacklo_ps(r[i + 2], r[i + 3]);
      const F32 t3 = _mm512_unpackhi_ps(r[i + 2], r[i + 3]);
      a[i] = unpack_pairs(t0, t2, false);
      a[i + 1] = unpack_pairs(t0, t2, true);
      a[i + 2] = unpack_pairs(t1, t3, false);
      a[i + 3] = unpack_pairs(t1, t3, true);
    }
    for (int i = 0; i < 4; ++i) {  // then the quarters
      const F32 t0 = _mm512_shuffle_f32x4(a[i], a[i + 4], 0x44);
      const F32 t1 = _mm512_shuffle_f32x4(a[i], a[i + 4], 0xee);
      const F32 t2 = _mm512_shuffle_f32x4(a[i + 8], a[i + 12], 0x44);
      const F32 t3 = _mm512_shuffle_f32x4(a[i + 8], a[i + 12], 0xee);
      r[i] = _mm512_shuffle_f32x4(t0, t2, 0x88);
      r[i + 4] = _mm512_shuffle_f32x4(t0, t2, 0xdd);
      r[i + 8] = _mm512_shuffle_f32x4(t1, t3, 0x88);
      r[i + 12] = _mm512_shuffle_f32x4(t1, t3, 0xdd);
    }
  }
  static NIBBLE_INLINE F32 lookup(F32 table, I32 index) {
    return _mm512_permutexvar_ps(index, table);
  }
  static NIBBLE_INLINE F32 set8(float a, float b, float c, float d, float e, float f, float g,
                                float h) {
    return _mm512_zextps256_ps512(_mm256_setr_ps(a, b, c, d, e, f, g, h));
  }
  static NIBBLE_INLINE F32 halves(float a, float b) {
    return _mm512_mask_blend_ps(0xff00, _mm512_set1_ps(a), _mm512_set1_ps(b));
  }

  static NIBBLE_INLINE I8 load_bytes(const void* p) { return _mm512_loadu_si512(p); }
  static NIBBLE_INLINE void store_bytes(void* p, I8 a) { _mm512_storeu_si512(p, a); }
  static NIBBLE_INLINE I8 load_two(const void* first, const void* second) {
    const __m256i lo = _mm256_loadu_si256(static_cast<const __m256i*>(first));
    const __m256i hi = _mm256_loadu_si256(static_cast<const __m256i*>(second));
    return _mm512_inserti64x4(_mm512_castsi256_si512(lo), hi, 1);
  }
  static NIBBLE_INLINE I8 load_two_twice(const void* first, const void* second) {
    const __m256i lo =
        _mm256_broadcastsi128_si256(_mm_loadu_si128(static_cast<const __m128i*>(first)));
    const __m256i hi =
        _mm256_broadcastsi128_si256(_mm_loadu_si128(static_cast<const __m128i*>(second)));
    return _mm512_inserti64x4(_mm512_castsi256_si512(lo), hi, 1);
  }
  static NIBBLE_INLINE I8 load_four(const void* a, const void* b, const void* c, const void* d) {
    const auto at = [](const void* p) { return static_cast<const __m128i*>(p); };
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu2_m128i(at(b), at(a))),
                              _mm256_loadu2_m128i(at(d), at(c)), 1);
  }
  static NIBBLE_INLINE I8 load_eights_twice(const void* p) {
    const __m256i eights = _mm256_loadu_si256(static_cast<const __m256i*>(p));
    return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 0, 1, 1, 2, 2, 3, 3),
                                    _mm512_castsi256_si512(eights));
  }
  template <int run, int a, int b, int mask>
  static NIBBLE_INLINE I8 shift_right(I8 x) {
    const __m512i count = run == 32   ? _mm512_setr_epi64(a, a, a, a, b, b, b, b)
                          : run == 16 ? _mm512_setr_epi64(a, a, b, b, a, a, b, b)
                                      : _mm512_setr_epi64(a, b, a, b, a, b, a, b);
    return _mm512_and_si512(_mm512_srlv_epi64(x, count), _mm512_set1_epi8(mask));
  }
  template <int shift, int mask>
  static NIBBLE_INLINE I8 bits(I8 x) {
    if constexpr (shift > 0) x = _mm512_srli_epi16(x, shift);
    if constexpr (shift < 0) x = _mm512_slli_epi16(x, -shift);
    return _mm512_and_si512(x, _mm512_set1_epi8(static_cast<char>(mask)));
  }
  template <int bits>
  static NIBBLE_INLINE I8 shift_left(I8 x) {
    return _mm512_and_si512(_mm512_slli_epi16(x, bits),
                            _mm512_set1_epi8(static_cast<char>(0xff << bits)));
  }
  static NIBBLE_INLINE I8 bit_or(I8 a, I8 b) { return _mm512_or_si512(a, b); }
  static NIBBLE_INLINE I8 lookup_bytes(const uint8_t* table, I8 x) {
    const __m128i entries = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(entries), x);
  }
  static NIBBLE_INLINE I8 bytes_from_bits(uint64_t bits, uint8_t value) {
    return _mm512_maskz_set1_epi8(bits, static_cast<char>(value));
  }
  static NIBBLE_INLINE I8 bytes_from_pairs(const uint8_t* p) {
    // a byte b in 32 bits; b + (b << 6) + (b << 12) + (b << 18) has its pairs at bits 0, 8, 16, 24
    const __m512i b = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    const __m512i two = _mm512_or_si512(b, _mm512_slli_epi32(b, 6));
    const __m512i four = _mm512_or_si512(two, _mm512_slli_epi32(two, 12));
    return _mm512_and_si512(four, _mm512_set1_epi8(3));
  }
  static NIBBLE_INLINE I8 base3_digits(I8 x, I8 power) {
    const __m512i low = _mm512_set1_epi16(0xff);
    const __m512i even = _mm512_and_si512(_mm512_mullo_epi16(x, power), low);
    const __m512i odd = _mm512_and_si512(
        _mm512_mullo_epi16(_mm512_srli_epi16(x, 8), _mm512_srli_epi16(power, 8)), low);
    const __m512i three = _mm512_set1_epi16(3);
    return _mm512_or_si512(_mm512_srli_epi16(_mm512_mullo_epi16(even, three), 8),
                           _mm512_andnot_si512(low, _mm512_mullo_epi16(odd, three)));
  }

  static NIBBLE_INLINE I8 from_words(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                                     uint64_t f, uint64_t g, uint64_t h) {
    return _mm512_setr_epi64(static_cast<int64_t>(a), static_cast<int64_t>(b),
                             static_cast<int64_t>(c), static_cast<int64_t>(d),
                             static_cast<int64_t>(e), static_cast<int64_t>(f),
                             static_cast<int64_t>(g), static_cast<int64_t>(h));
  }
  static NIBBLE_INLINE I8 negate_where(I8 x, uint64_t bits) {
    return _mm512_mask_sub_epi8(x, bits, _mm512_setzero_si512(), x);
  }

  static constexpr int kPanelZero = 128;  // vpdpbusd takes unsigned weights
  static NIBBLE_INLINE I8 broadcast4(const int8_t* p) {
    int32_t four;
    __builtin_memcpy(&four, p, sizeof four);
    return _mm512_set1_epi32(four);
  }
  static NIBBLE_INLINE I8 panel_bytes(I8 w) {
    return _mm512_xor_si512(w, _mm512_set1_epi8(static_cast<char>(0x80)));
  }
  static NIBBLE_INLINE I32 add_panel_dot(I32 sum, I8 w, I8 a) {
    return _mm512_dpbusd_epi32(sum, w, a);
  }
  static NIBBLE_INLINE I32 set1_i32(int32_t x) { return _mm512_set1_epi32(x); }
  static NIBBLE_INLINE I32 dot_us(I8 w, I8 a) {
    return _mm512_dpbusd_epi32(_mm512_setzero_si512(), w, a);
  }
  static NIBBLE_INLINE I32 dot_ss(I8 w, I8 a) {
    const __m512i signed_a =
        _mm512_mask_sub_epi8(a, _mm512_movepi8_mask(w), _mm512_setzero_si512(), a);
    return _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_abs_epi8(w), signed_a);
  }
  static NIBBLE_INLINE I32 to_i32(F32 a) { return _mm512_cvtps_epi32(a); }
  static NIBBLE_INLINE F32 to_f32(I32 a) { return _mm512_cvtepi32_ps(a); }
};

}  // namespace nibble
