// iq3_s: 256 weights in 110 bytes (3.4375 bits a weight): 8 groups of 32, 4 weights an entry of a
// grid of 512 (grids.h).
//    0  f16      d
//    2  u8[64]   g: entries, the low 8 bits
//   66  u8[8]    bit i of byte k: bit 8 of entry 8k + i
//   74  u8[32]   signs: bit i of byte k is set when weight 8k + i is negative
//  106  u8[4]    s: groups 2k and 2k + 1 in the low and high half of byte k
//                                                              w = d * (2s + 1) * grid[g] * sign
#pragma once

#include "codec/grid_format.h"

namespace nibble {

struct IQ3_S_Description : UnshiftedDescription, LevelCodes<1, 4, kIq3SLevels> {
  using Grid = GridIq3S;
  static constexpr int kGroup = 32;
  static constexpr float kUnit = 1.0f;
  static constexpr float kDotUnit = kUnit;
  static constexpr Signs kSigns = Signs::kFree;
  static constexpr GridScaleSearch kSearches[] = {
      {0.17f, 0.17f, 1, 0, 0}, {0.11f, 0.22f, 4, 1, 1}, {0.09f, 0.27f, 17, 2, 3}};
  static NIBBLE_INLINE const Grid& grid() { return kGridIq3S; }
};

struct IQ3_S : GridFormat<IQ3_S_Description> {
  static constexpr int kBytes = 110;
  struct Block {
    uint16_t d;
    uint8_t q[64];
    uint8_t h[8];
    uint8_t signs[32];
    uint8_t s[4];
  };

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float* importance, const Params& params,
                                 Block& block) {
    const auto codes = params.template codes<V>(x, importance);
    block.d = params.d;
    std::memcpy(block.signs, codes.signs, sizeof block.signs);
    std::memset(block.h, 0, sizeof block.h);
    for (int i = 0; i < 64; ++i) {
      block.q[i] = static_cast<uint8_t>(codes.index[i]);
      block.h[i / 8] |= static_cast<uint8_t>(codes.index[i] >> 8 << (i % 8));
    }
    pack_nibbles(params.scale, 4, block.s);
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    for (int i = 0; i < 64; ++i) {
      const int s = block.s[i / 16] >> (i / 8 % 2 * 4) & 15;
      const float scale = f32_from_f16(block.d) * odd(s);
      const int signs = block.signs[i / 2] >> (i % 2 * 4);
      Params::decode_entry(scale, index_of(block, i), signs, 0, y + 4 * i);
    }
  }

  // --- dot ---
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int, typename V::F32& scale,
                                   typename V::F32&) {
    scale = odd_scales<V>(V::from_f16(block->d), spread_nibbles(block->s),
                          spread_nibbles(block->s + 2), 0, 0);
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int) {
    uint64_t signs;
    std::memcpy(&signs, block->signs + 8 * j, sizeof signs);
    const auto entry = [&](int i) {
      const int at = 16 * j + 2 * i;
      return two_entries(kGridIq3S.values[index_of(*block, at)],
                         kGridIq3S.values[index_of(*block, at + 1)]);
    };
    return V::negate_where(eight_entries<V>(entry), signs);
  }

  // --- interleave ---
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    StoredScales scales = {block.d, 0, {}, {}};
    for (int k = 0; k < 8; ++k) scales.s[k] = odd_byte(block.s[k / 2] >> (4 * (k % 2)) & 15);
    return scales;
  }

 private:
  static NIBBLE_INLINE int index_of(const Block& block, int i) {
    return block.q[i] | (block.h[i / 8] >> (i % 8) & 1) << 8;
  }
};

}  // namespace nibble
