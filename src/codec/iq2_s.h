// iq2_s: 256 weights in 82 bytes (2.5625 bits a weight): 16 groups of 16, 8 weights an entry of a
// grid of 1024 (grids.h).
//    0  f16      d
//    2  u8[32]   g: entries, the low 8 bits
//   34  u8[32]   signs: bit i of byte k is set when weight 8k + i is negative
//   66  u8[8]    bits 2i, 2i + 1 of byte k: bits 8, 9 of entry 4k + i
//   74  u8[8]    s: groups 2k and 2k + 1 in the low and high half of byte k
//                                                          w = d * (2s + 1) / 8 * grid[g] * sign
#pragma once

#include "codec/grid_format.h"

namespace nibble {

struct IQ2_S_Description : Iq2Description {
  using Grid = GridIq2S;
  static constexpr int kGroup = 16;
  static constexpr Signs kSigns = Signs::kFree;
  static NIBBLE_INLINE const Grid& grid() { return kGridIq2S; }
};

struct IQ2_S : GridFormat<IQ2_S_Description> {
  static constexpr int kBytes = 82;
  struct Block {
    uint16_t d;
    uint8_t q[32];
    uint8_t signs[32];
    uint8_t h[8];
    uint8_t s[8];
  };

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float* importance, const Params& params,
                                 Block& block) {
    const auto codes = params.template codes<V>(x, importance);
    block.d = params.d;
    std::memcpy(block.signs, codes.signs, sizeof block.signs);
    std::memset(block.h, 0, sizeof block.h);
    for (int i = 0; i < 32; ++i) {
      block.q[i] = static_cast<uint8_t>(codes.index[i]);
      block.h[i / 4] |= static_cast<uint8_t>(codes.index[i] >> 8 << (2 * (i % 4)));
    }
    pack_nibbles(params.scale, 8, block.s);
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    for (int i = 0; i < 32; ++i) {
      const int s = block.s[i / 4] >> (i / 2 % 2 * 4) & 15;
      const float scale = f32_from_f16(block.d) * odd(s) * 0.125f;
      Params::decode_entry(scale, index_of(block, i), block.signs[i], 0, y + 8 * i);
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
    uint64_t signs;
    std::memcpy(&signs, block->signs + 8 * j, sizeof signs);
    const auto entry = [&](int i) { return kGridIq2S.values[index_of(*block, 8 * j + i)]; };
    return V::negate_where(eight_entries<V>(entry), signs);
  }

  // --- interleave ---
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    StoredScales scales = {block.d, 0, {}, {}};
    for (int k = 0; k < 16; ++k) scales.s[k] = odd_byte(block.s[k / 2] >> (4 * (k % 2)) & 15);
    return scales;
  }

 private:
  static NIBBLE_INLINE int index_of(const Block& block, int i) {
    return block.q[i] | (block.h[i / 4] >> (2 * (i % 4)) & 3) << 8;
  }
};

}  // namespace nibble
