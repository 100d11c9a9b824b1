// AvxVnni: Avx2 with products of bytes by vpdpbusd on 256-bit registers. Needs AVX2, FMA, F16C and
// AVX-VNNI.
#pragma once

#include "simd/avx2.h"

namespace nibble {

struct AvxVnni : Avx2 {
  static constexpr int kPanelZero = 128;  // vpdpbusd takes unsigned weights
  static NIBBLE_INLINE I8 panel_bytes(I8 w) {
    const __m256i top = _mm256_set1_epi8(static_cast<char>(0x80));
    return {_mm256_xor_si256(w.lo, top), _mm256_xor_si256(w.hi, top)};
  }
  static NIBBLE_INLINE I32 add_panel_dot(I32 sum, I8 w, I8 a) {
    return {_mm256_dpbusd_avx_epi32(sum.lo, w.lo, a.lo),
            _mm256_dpbusd_avx_epi32(sum.hi, w.hi, a.hi)};
  }
  static NIBBLE_INLINE I32 dot_us(I8 w, I8 a) { return add_panel_dot(set1_i32(0), w, a); }
  static NIBBLE_INLINE I32 dot_ss(I8 w, I8 a) {
    return dot_us({_mm256_abs_epi8(w.lo), _mm256_abs_epi8(w.hi)},
                  {_mm256_sign_epi8(a.lo, w.lo), _mm256_sign_epi8(a.hi, w.hi)});
  }
};

}  // namespace nibble
