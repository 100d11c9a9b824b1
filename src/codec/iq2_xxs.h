// iq2_xxs: 256 weights in 66 bytes (2.0625 bits a weight): 8 groups of 32, 8 weights an entry of a
// grid of 256 (grids.h).
//    0  f16      d
//    2  8 x 8 bytes, a group each:
//         u8[4]  g: entries
//         u32    bits 7i .. 7i + 6: signs of the first 7 weights of entry i; that of the 8th makes
//                the number of negative ones even. Bits 28 .. 31: s
//                                                          w = d * (2s + 1) / 8 * grid[g] * sign
#pragma once

#include "codec/grid_format.h"

namespace nibble {

struct IQ2_XXS_Description : Iq2Description {
  using Grid = GridIq2Xxs;
  static constexpr int kGroup = 32;
  static constexpr Signs kSigns = Signs::kEven;
  static NIBBLE_INLINE const Grid& grid() { return kGridIq2Xxs; }
};

struct IQ2_XXS : GridFormat<IQ2_XXS_Description> {
  static constexpr int kBytes = 66;
  struct Block {
    uint16_t d;
    uint16_t q[32];
  };

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float* importance, const Params& params,
                                 Block& block) {
    const auto codes = params.template codes<V>(x, importance);
    block.d = params.d;
    for (int k = 0; k < 8; ++k) {
      uint32_t signs = static_cast<uint32_t>(params.scale[k]) << 28;
      uint32_t entries = 0;
      for (int i = 0; i < 4; ++i) {
        entries |= static_cast<uint32_t>(codes.index[4 * k + i]) << (8 * i);
        signs |= static_cast<uint32_t>(codes.signs[4 * k + i] & 127) << (7 * i);
      }
      std::memcpy(block.q + 4 * k, &entries, sizeof entries);
      std::memcpy(block.q + 4 * k + 2, &signs, sizeof signs);
    }
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    for (int k = 0; k < 8; ++k) {
      const Group group = group_of(block, k);
      const float scale = f32_from_f16(block.d) * odd(group.signs >> 28) * 0.125f;
      for (int i = 0; i < 4; ++i) {
        Params::decode_entry(scale, group.entries >> (8 * i) & 255,
                             even_signs(group.signs >> (7 * i)), 0, y + 32 * k + 8 * i);
      }
    }
  }

  // --- dot ---
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int, typename V::F32& scale,
                                   typename V::F32&) {
    uint32_t s[2] = {};
    for (int k = 0; k < 8; ++k) s[k / 4] |= group_of(*block, k).signs >> 28 << (8 * (k % 4));
    scale = odd_scales<V>(V::from_f16(block->d) * 0.125f, s[0], s[1], 0, 0);
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int) {
    const Group a = group_of(*block, 2 * j), b = group_of(*block, 2 * j + 1);
    const uint64_t signs = even_signs_of_4(a.signs) | even_signs_of_4(b.signs) << 32;
    const auto entry = [&](int i) {
      return kGridIq2Xxs.values[(i < 4 ? a : b).entries >> (8 * (i % 4)) & 255];
    };
    return V::negate_where(eight_entries<V>(entry), signs);
  }

  // --- interleave ---
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    StoredScales scales = {block.d, 0, {}, {}};
    for (int k = 0; k < 8; ++k)
      scales.s[k] = odd_byte(static_cast<int>(group_of(block, k).signs >> 28));
    return scales;
  }

 private:
  struct Group {
    uint32_t entries;
    uint32_t signs;
  };
  static NIBBLE_INLINE Group group_of(const Block& block, int k) {
    Group group;
    std::memcpy(&group, block.q + 4 * k, sizeof group);
    return group;
  }
};

}  // namespace nibble
