// Pieces of the iq1, iq2 and iq3 formats' decode and dot: scales, signs and entries as blocks hold
// them.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/attributes.h"
#include "codec/grid_scales.h"

namespace nibble {

// --- scales 2s + 1 ---

NIBBLE_INLINE float odd(uint32_t s) { return static_cast<float>(2 * s + 1); }
NIBBLE_INLINE int8_t odd_byte(int s) { return static_cast<int8_t>(2 * s + 1); }

// Two scales a byte, the first one in the low half.
NIBBLE_INLINE void pack_nibbles(const uint8_t* scale, int bytes, uint8_t* out) {
  for (int k = 0; k < bytes; ++k) {
    out[k] = static_cast<uint8_t>(scale[2 * k] | scale[2 * k + 1] << 4);
  }
}

// 4 half bytes as the bytes of a word.
NIBBLE_INLINE uint32_t spread_nibbles(const uint8_t* p) {
  const uint32_t packed = p[0] | static_cast<uint32_t>(p[1]) << 16;
  return (packed | packed << 4) & 0x0f0f0f0fu;
}

// unit * (2s + 1) for the s that are the bytes of 4 words.
template <class V>
NIBBLE_INLINE typename V::F32 odd_scales(float unit, uint32_t a, uint32_t b, uint32_t c,
                                         uint32_t d) {
  const auto odd = V::fma(V::from_u8(a, b, c, d), V::set1(2.0f), V::set1(1.0f));
  return V::mul(odd, V::set1(unit));
}
// For 16 half bytes.
template <class V>
NIBBLE_INLINE typename V::F32 odd_nibble_scales(float unit, const uint8_t* p) {
  return odd_scales<V>(unit, spread_nibbles(p), spread_nibbles(p + 2), spread_nibbles(p + 4),
                       spread_nibbles(p + 6));
}

// --- signs ---

// The signs of 8 weights from those of the first 7 (other bits do not count): the number of
// negative ones is even.
NIBBLE_INLINE int even_signs(uint32_t bits) {
  const uint32_t first = bits & 127;
  return static_cast<int>(first | (static_cast<uint32_t>(std::popcount(first)) & 1) << 7);
}
// 4 times 7 bits.
NIBBLE_INLINE uint64_t even_signs_of_4(uint32_t bits) {
  uint32_t signs = 0;
  for (int i = 0; i < 4; ++i) {
    signs |= static_cast<uint32_t>(even_signs(bits >> (7 * i))) << (8 * i);
  }
  return signs;
}

// --- entries ---

// The levels of 64 weights, entry(i) being those of weights 8i .. 8i + 7.
template <class V, class Entry>
NIBBLE_INLINE typename V::I8 eight_entries(Entry entry) {
  return V::from_words(entry(0), entry(1), entry(2), entry(3), entry(4), entry(5), entry(6),
                       entry(7));
}
NIBBLE_INLINE uint64_t two_entries(uint32_t a, uint32_t b) {
  return a | static_cast<uint64_t>(b) << 32;
}
// 8 (level + 1/8), or 8 (level - 1/8) where a bit is set: by turning those around, before and
// after.
template <class V>
NIBBLE_INLINE typename V::I8 shifted_entries(typename V::I8 levels, uint64_t bits) {
  const auto eighths = V::template shift_left<3>(V::negate_where(levels, bits));
  return V::negate_where(V::bit_or(eighths, V::bytes_from_bits(~uint64_t{0}, 1)), bits);
}

}  // namespace nibble
