// iq1_s: 256 weights in 50 bytes (1.5625 bits a weight): 8 groups of 32, 8 weights an entry of a
// grid of 2048 (grids.h).
//    0  f16      d
//    2  u8[32]   g: entries, the low 8 bits
//   34  u16[8]   of a group, bits 3i .. 3i + 2: bits 8 .. 10 of entry i; bits 12 .. 14: s; bit 15:
//                its shift is -1/8, otherwise 1/8
//                                                           w = d * (2s + 1) * (grid[g] + shift)
#pragma once

#include "codec/grid_format.h"

namespace nibble {

struct IQ1_S_Description : Iq1Description {
  static constexpr int kGroup = 32;
  static constexpr bool kShiftsGroup = true;
};

struct IQ1_S : GridFormat<IQ1_S_Description> {
  static constexpr int kBytes = 50;
  struct Block {
    uint16_t d;
    uint8_t q[32];
    uint16_t h[8];
  };

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float* importance, const Params& params,
                                 Block& block) {
    const auto codes = params.template codes<V>(x, importance);
    block.d = params.d;
    for (int k = 0; k < 8; ++k) {
      int h = params.scale[k] << 12 | params.shift[k] << 15;
      for (int i = 0; i < 4; ++i) {
        block.q[4 * k + i] = static_cast<uint8_t>(codes.index[4 * k + i]);
        h |= codes.index[4 * k + i] >> 8 << (3 * i);
      }
      block.h[k] = static_cast<uint16_t>(h);
    }
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    for (int i = 0; i < 32; ++i) {
      const int h = block.h[i / 4];
      const float scale = f32_from_f16(block.d) * odd(h >> 12 & 7);
      Params::decode_entry(scale, index_of(block, i), 0, h >> 15, y + 8 * i);
    }
  }

  // --- dot ---
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int, typename V::F32& scale,
                                   typename V::F32&) {
    uint32_t s[2] = {};
    for (int k = 0; k < 8; ++k) {
      s[k / 4] |= static_cast<uint32_t>(block->h[k] >> 12 & 7) << (8 * (k % 4));
    }
    scale = odd_scales<V>(V::from_f16(block->d) * 0.125f, s[0], s[1], 0, 0);
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int) {
    const uint64_t low = block->h[2 * j] >> 15 != 0 ? 0xffffffffu : 0;
    const uint64_t high = block->h[2 * j + 1] >> 15 != 0 ? 0xffffffffu : 0;
    const auto entry = [&](int i) { return kGridIq1.values[index_of(*block, 8 * j + i)]; };
    return shifted_entries<V>(eight_entries<V>(entry), low | high << 32);
  }

  // --- interleave ---
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    StoredScales scales = {block.d, 0, {}, {}};
    for (int k = 0; k < 8; ++k) scales.s[k] = odd_byte(block.h[k] >> 12 & 7);
    return scales;
  }

 private:
  static NIBBLE_INLINE int index_of(const Block& block, int i) {
    return block.q[i] | (block.h[i / 4] >> (3 * (i % 4)) & 7) << 8;
  }
};

}  // namespace nibble
