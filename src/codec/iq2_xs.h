// iq2_xs: 256 weights in 74 bytes (2.3125 bits a weight): 16 groups of 16, 8 weights an entry of a
// grid of 512 (grids.h).
//    0  f16      d
//    2  u16[32]  bits 0 .. 8: entry g; bits 9 .. 15: signs of its first 7 weights; that of the 8th
//                makes the number of negative ones even
//   66  u8[8]    s: groups 2k and 2k + 1 in the low and high half of byte k
//                                                          w = d * (2s + 1) / 8 * grid[g] * sign
#pragma once

#include "codec/grid_format.h"

namespace nibble {

struct IQ2_XS_Description : Iq2Description {
  using Grid = GridIq2Xs;
  static constexpr int kGroup = 16;
  static constexpr Signs kSigns = Signs::kEven;
  static NIBBLE_INLINE const Grid& grid() { return kGridIq2Xs; }
};

struct IQ2_XS : GridFormat<IQ2_XS_Description> {
  static constexpr int kBytes = 74;
  struct Block {
    uint16_t d;
    uint16_t q[32];
    uint8_t s[8];
  };

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float* importance, const Params& params,
                                 Block& block) {
    const auto codes = params.template codes<V>(x, importance);
    block.d = params.d;
    for (int i = 0; i < 32; ++i) {
      block.q[i] = static_cast<uint16_t>(codes.index[i] | (codes.signs[i] & 127) << 9);
    }
    pack_nibbles(params.scale, 8, block.s);
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    for (int i = 0; i < 32; ++i) {
      const int s = block.s[i / 4] >> (i / 2 % 2 * 4) & 15;
      const float scale = f32_from_f16(block.d) * odd(s) * 0.125f;
      Params::decode_entry(scale, block.q[i] & 511, even_signs(block.q[i] >> 9), 0, y + 8 * i);
    }
  }

  // --- dot ---
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int, typename V::F32& scale,
                                   typename V::F32&) {
    scale = odd_nibble_scales<V>(V::from_f16(block->d) * 0.125f, block->s);
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int) {
    const uint16_t* q = block->q + 8 * j;
    uint64_t signs = 0;
    for (int i = 0; i < 8; ++i) signs |= static_cast<uint64_t>(even_signs(q[i] >> 9)) << (8 * i);
    const auto entry = [&](int i) { return kGridIq2Xs.values[q[i] & 511]; };
    return V::negate_where(eight_entries<V>(entry), signs);
  }

  // --- interleave ---
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    StoredScales scales = {block.d, 0, {}, {}};
    for (int k = 0; k < 16; ++k) scales.s[k] = odd_byte(block.s[k / 2] >> (4 * (k % 2)) & 15);
    return scales;
  }
};

}  // namespace nibble
