// iq1_m: 256 weights in 56 bytes (1.75 bits a weight): 16 groups of 16, 8 weights an entry of a
// grid of 2048 (grids.h).
//    0  u8[32]   g: entries, the low 8 bits
//   32  u8[16]   of entries 2k and 2k + 1 in the low and high half of byte k, bits 0 .. 2: bits
//                8 .. 10 of g; bit 3: its shift is -1/8, otherwise 1/8
//   48  u16[4]   bits 3i .. 3i + 2 of number k: s of group 4k + i; bits 12 .. 15: bits 4k .. 4k + 3
//                of d, an f16
//                                                           w = d * (2s + 1) * (grid[g] + shift)
#pragma once

#include "codec/grid_format.h"

namespace nibble {

struct IQ1_M_Description : Iq1Description {
  static constexpr int kGroup = 16;
  static constexpr bool kShiftsGroup = false;
};

struct IQ1_M : GridFormat<IQ1_M_Description> {
  static constexpr int kBytes = 56;
  struct Block {
    uint8_t q[32];
    uint8_t h[16];
    uint8_t s[8];
  };

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float* importance, const Params& params,
                                 Block& block) {
    const auto codes = params.template codes<V>(x, importance);
    for (int i = 0; i < 32; ++i) block.q[i] = static_cast<uint8_t>(codes.index[i]);
    const auto upper = [&](int i) { return codes.index[i] >> 8 | codes.shift[i] << 3; };
    for (int k = 0; k < 16; ++k) {
      block.h[k] = static_cast<uint8_t>(upper(2 * k) | upper(2 * k + 1) << 4);
    }
    for (int k = 0; k < 4; ++k) {
      int s = (params.d >> (4 * k) & 15) << 12;
      for (int i = 0; i < 4; ++i) s |= params.scale[4 * k + i] << (3 * i);
      block.s[2 * k] = static_cast<uint8_t>(s);
      block.s[2 * k + 1] = static_cast<uint8_t>(s >> 8);
    }
  }

  // d, wherever its bits lie.
  static NIBBLE_INLINE uint16_t d_of(const Block& block) {
    int d = 0;
    for (int k = 0; k < 4; ++k) d |= scales_of(block, k) >> 12 << (4 * k);
    return static_cast<uint16_t>(d);
  }
  static NIBBLE_INLINE void set_d(Block& block, uint16_t d) {
    for (int k = 0; k < 4; ++k)
      block.s[2 * k + 1] =
          static_cast<uint8_t>((block.s[2 * k + 1] & 15) | (d >> (4 * k) & 15) << 4);
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const float d = f32_from_f16(d_of(block));
    for (int i = 0; i < 32; ++i) {
      const float scale = d * odd(scales_of(block, i / 8) >> (i / 2 % 4 * 3) & 7);
      Params::decode_entry(scale, index_of(block, i), 0, upper_of(block, i) >> 3, y + 8 * i);
    }
  }

  // --- dot ---
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int, typename V::F32& scale,
                                   typename V::F32&) {
    uint32_t s[4] = {};
    for (int k = 0; k < 4; ++k) {
      const uint32_t packed = scales_of(*block, k);
      for (int i = 0; i < 4; ++i) s[k] |= (packed >> (3 * i) & 7) << (8 * i);
    }
    scale = odd_scales<V>(V::from_f16(d_of(*block)) * 0.125f, s[0], s[1], s[2], s[3]);
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int) {
    uint64_t shifted = 0;
    for (int i = 0; i < 8; ++i) {
      const uint64_t bits = upper_of(*block, 8 * j + i) >> 3 != 0 ? 0xff : 0;
      shifted |= bits << (8 * i);
    }
    const auto entry = [&](int i) { return kGridIq1.values[index_of(*block, 8 * j + i)]; };
    return shifted_entries<V>(eight_entries<V>(entry), shifted);
  }

  // --- interleave ---
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    StoredScales scales = {d_of(block), 0, {}, {}};
    for (int k = 0; k < 16; ++k)
      scales.s[k] = odd_byte(scales_of(block, k / 4) >> (3 * (k % 4)) & 7);
    return scales;
  }

 private:
  static NIBBLE_INLINE int scales_of(const Block& block, int k) {
    return block.s[2 * k] | block.s[2 * k + 1] << 8;
  }
  static NIBBLE_INLINE int upper_of(const Block& block, int i) {
    return block.h[i / 2] >> (i % 2 * 4) & 15;
  }
  static NIBBLE_INLINE int index_of(const Block& block, int i) {
    return block.q[i] | (upper_of(block, i) & 7) << 8;
  }
};

}  // namespace nibble
