// What q4_k and q5_k share: 8 sub-blocks of 32 weights with 6-bit scales s and minimums m
// (scaled_lines.h) and the 12 bytes that hold them: for sub-block k < 4 the low 6 bits of byte k
// and k + 4; for k >= 4 the low (high) 4 bits of byte k + 4, above them the top 2 bits of byte k -
// 4 (k).
#pragma once

#include <cstring>

#include "codec/scaled_lines.h"

namespace nibble {

template <int kTop>
struct KScales : ScaledLines<32, 8, kTop, 63> {
  using Lines = ScaledLines<32, 8, kTop, 63>;
  using Lines::d, Lines::dmin, Lines::scale, Lines::minimum;

  // --- pack ---
  NIBBLE_INLINE void pack(uint8_t* bytes) const {
    for (int k = 0; k < 4; ++k) {
      const int s = scale[k + 4];
      const int m = minimum[k + 4];
      bytes[k] = static_cast<uint8_t>(scale[k] | (s >> 4) << 6);
      bytes[k + 4] = static_cast<uint8_t>(minimum[k] | (m >> 4) << 6);
      bytes[k + 8] = static_cast<uint8_t>((s & 15) | (m & 15) << 4);
    }
  }

  // --- decode ---
  static NIBBLE_INLINE KScales unpack(uint16_t d, uint16_t dmin, const uint8_t* bytes) {
    KScales result;
    result.d = d;
    result.dmin = dmin;
    for (int k = 0; k < 4; ++k) {
      result.scale[k] = bytes[k] & 63;
      result.minimum[k] = bytes[k + 4] & 63;
      result.scale[k + 4] = static_cast<uint8_t>((bytes[k + 8] & 15) | (bytes[k] >> 6) << 4);
      result.minimum[k + 4] = static_cast<uint8_t>((bytes[k + 8] >> 4) | (bytes[k + 4] >> 6) << 4);
    }
    return result;
  }

  NIBBLE_INLINE StoredScales stored() const {
    StoredScales result = {d, dmin, {}, {}};
    for (int k = 0; k < 8; ++k) {
      result.s[k] = static_cast<int8_t>(scale[k]);
      result.minimum[k] = minimum[k];
    }
    return result;
  }

  // --- dot: 8 scales in the low lanes, and the minimums, each for two groups of 16 ---
  template <class V>
  static NIBBLE_INLINE void load(uint16_t d, uint16_t dmin, const uint8_t* bytes,
                                 typename V::F32& scales, typename V::F32& minimums) {
    uint32_t s[3];
    std::memcpy(s, bytes, sizeof s);
    const uint32_t scale_high = (s[2] & 0x0f0f0f0fu) | (s[0] >> 2 & 0x30303030u);
    const uint32_t minimum_high = (s[2] >> 4 & 0x0f0f0f0fu) | (s[1] >> 2 & 0x30303030u);
    const auto both = V::from_u8(s[0] & 0x3f3f3f3fu, scale_high, s[1] & 0x3f3f3f3fu, minimum_high);
    scales = V::mul(both, V::halves(V::from_f16(d), V::from_f16(dmin)));
    minimums = V::twice_high(scales);
  }
};

}  // namespace nibble
