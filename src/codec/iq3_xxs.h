// iq3_xxs: 256 weights in 98 bytes (3.0625 bits a weight): 8 groups of 32, 4 weights an entry of a
// grid of 256 (grids.h).
//    0  f16      d
//    2  u8[64]   g: entries
//   66  u32[8]   of a group, bits 7i .. 7i + 6: signs of the first 7 of weights 8i .. 8i + 7; that
//                of the 8th makes the number of negative ones even. Bits 28 .. 31: s
//                                                          w = d * (2s + 1) / 4 * grid[g] * sign
#pragma once

#include "codec/grid_format.h"

namespace nibble {

struct IQ3_XXS_Description : UnshiftedDescription, LevelCodes<3, 4, kIq3XxsLevels> {
  using Grid = GridIq3Xxs;
  static constexpr int kGroup = 32;
  static constexpr float kUnit = 0.25f;
  static constexpr float kDotUnit = kUnit;
  static constexpr Signs kSigns = Signs::kEven;
  static constexpr GridScaleSearch kSearches[] = {
      {0.041f, 0.041f, 1, 0, 0}, {0.028f, 0.052f, 4, 1, 1}, {0.022f, 0.07f, 17, 2, 3}};
  static NIBBLE_INLINE const Grid& grid() { return kGridIq3Xxs; }
};

struct IQ3_XXS : GridFormat<IQ3_XXS_Description> {
  static constexpr int kBytes = 98;
  struct Block {
    uint16_t d;
    uint8_t q[64];
    uint8_t signs[32];
  };

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float* importance, const Params& params,
                                 Block& block) {
    const auto codes = params.template codes<V>(x, importance);
    block.d = params.d;
    for (int i = 0; i < 64; ++i) block.q[i] = static_cast<uint8_t>(codes.index[i]);
    for (int k = 0; k < 8; ++k) {
      uint32_t signs = static_cast<uint32_t>(params.scale[k]) << 28;
      for (int i = 0; i < 4; ++i) {
        signs |= static_cast<uint32_t>(codes.signs[4 * k + i] & 127) << (7 * i);
      }
      std::memcpy(block.signs + 4 * k, &signs, sizeof signs);
    }
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    for (int i = 0; i < 64; ++i) {
      const uint32_t group = signs_of(block, i / 8);
      const float scale = f32_from_f16(block.d) * odd(group >> 28) * 0.25f;
      const int signs = even_signs(group >> (7 * (i / 2 % 4))) >> (i % 2 * 4);
      Params::decode_entry(scale, block.q[i], signs, 0, y + 4 * i);
    }
  }

  // --- dot ---
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int, typename V::F32& scale,
                                   typename V::F32&) {
    uint32_t s[2] = {};
    for (int k = 0; k < 8; ++k) s[k / 4] |= signs_of(*block, k) >> 28 << (8 * (k % 4));
    scale = odd_scales<V>(V::from_f16(block->d) * 0.25f, s[0], s[1], 0, 0);
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int) {
    const uint8_t* q = block->q + 16 * j;
    const uint64_t signs = even_signs_of_4(signs_of(*block, 2 * j)) |
                           even_signs_of_4(signs_of(*block, 2 * j + 1)) << 32;
    const auto entry = [&](int i) {
      return two_entries(kGridIq3Xxs.values[q[2 * i]], kGridIq3Xxs.values[q[2 * i + 1]]);
    };
    return V::negate_where(eight_entries<V>(entry), signs);
  }

  // --- interleave ---
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    StoredScales scales = {block.d, 0, {}, {}};
    for (int k = 0; k < 8; ++k) scales.s[k] = odd_byte(static_cast<int>(signs_of(block, k) >> 28));
    return scales;
  }

 private:
  static NIBBLE_INLINE uint32_t signs_of(const Block& block, int k) {
    uint32_t signs;
    std::memcpy(&signs, block.signs + 4 * k, sizeof signs);
    return signs;
  }
};

}  // namespace nibble
