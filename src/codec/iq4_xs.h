// iq4_xs: 256 weights in 136 bytes (4.25 bits a weight): 8 sub-blocks of 32 with 6-bit scales.
//   0  f16       d
//   2  u16       high: bits 4, 5 of scale k in bits 2k, 2k + 1
//   4  u8[4]     low: bits 0-3 of scale k in the low (k even) or high half of byte k / 2
//   8  u8[128]   q: 16 bytes a sub-block; its weight i in the low half of byte i, weight 16 + i in
//                the high half
//                                           w = d * (s - 32) * v[q], v the table of codebook16.h
#pragma once

#include <cmath>
#include <cstring>

#include "base/numeric.h"
#include "codec/codebook16.h"
#include "codec/format.h"

namespace nibble {

struct IQ4_XS {
  static constexpr int kWeights = 256;
  static constexpr int kBytes = 136;
  static constexpr Domain kDomain = Domain::kInteger;
  static constexpr int kSubBlocks = 8;
  static constexpr float kLowestScale = -32.0f;
  static constexpr float kHighestScale = 31.0f;
  struct Block {
    uint16_t d;
    uint16_t high;
    uint8_t low[4];
    uint8_t q[128];
  };
  // The 8 scales as bytes 0..63, lowest byte first.
  static NIBBLE_INLINE uint64_t scale_bytes(const Block& block) {
    uint32_t low;
    std::memcpy(&low, block.low, sizeof low);
    uint64_t halves = low;
    halves = (halves | halves << 16) & 0x0000ffff0000ffffu;
    halves = (halves | halves << 8) & 0x00ff00ff00ff00ffu;
    halves = (halves | halves << 4) & 0x0f0f0f0f0f0f0f0fu;
    uint64_t pairs = block.high;
    pairs = (pairs | pairs << 24) & 0x000000ff000000ffu;
    pairs = (pairs | pairs << 12) & 0x000f000f000f000fu;
    pairs = (pairs | pairs << 6) & 0x0303030303030303u;
    return halves | pairs << 4;
  }

  // --- fit: each sub-block alone, then d, then the integers, then d again ---
  struct Params {
    uint16_t d;
    int8_t scale[kSubBlocks];  // s - 32
    NIBBLE_INLINE float of(int k) const { return f32_from_f16(d) * static_cast<float>(scale[k]); }
  };
  struct Search {
    CodebookSearch ideal;  // of each sub-block alone
    int radius;            // integers around the ideal scale that are tried
    int rounds;            // times that d is fitted to the integers, and these to it
  };
  static constexpr int kFitBlocks = 2;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int blocks, Effort effort,
                                Params* fitted) {
    constexpr Search kSearches[] = {
        {{0.92f, 1.08f, 3, 0}, 0, 1}, {{0.8f, 1.2f, 10, 1}, 1, 1}, {{0.7f, 1.3f, 32, 2}, 2, 3}};
    const Search& search = search_of(kSearches, effort);
    Tile<V, 32> tile;
    load_tile<V, 32>(x, importance, blocks * kSubBlocks, tile);
    const auto ideal = fit_codebook<V, 32>(tile, search.ideal).scale;
    Integers<V> best = choose<V>(tile, ideal, first_units<V>(ideal), search.radius);
    for (int round = 0; round < search.rounds; ++round) {
      const auto scale = V::mul(best.s, best.unit);
      keep_better<V>(choose<V>(tile, scale, refit_units<V>(best), search.radius), best);
    }
    const Lanes<V> s(best.s);
    const Lanes<V> unit(best.unit);
    for (int b = 0; b < blocks; ++b) {
      fitted[b].d = f16_from_f32(unit[b * kSubBlocks]);
      for (int k = 0; k < kSubBlocks; ++k) {
        fitted[b].scale[k] = static_cast<int8_t>(s[b * kSubBlocks + k]);
      }
    }
  }

  // --- pack ---
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params& params, Block& block) {
    block.d = params.d;
    block.high = 0;
    for (int k = 0; k < kSubBlocks; ++k) {
      const uint32_t s = static_cast<uint32_t>(params.scale[k] + 32);
      block.high = static_cast<uint16_t>(block.high | (s >> 4) << (2 * k));
      const uint32_t before = k % 2 == 0 ? 0 : block.low[k / 2];
      block.low[k / 2] = static_cast<uint8_t>(before | (s & 15) << (4 * (k % 2)));
      Codebook16::pack<V>(x + 32 * k, inverse_or_zero(params.of(k)), block.q + 16 * k);
    }
  }

  // --- decode ---
  static NIBBLE_INLINE void decode(const Block& block, float* y) {
    const float d = f32_from_f16(block.d);
    const uint64_t scales = scale_bytes(block);
    for (int k = 0; k < kSubBlocks; ++k) {
      const int s = static_cast<int>(scales >> (8 * k) & 0xff) - 32;
      Codebook16::unpack(block.q + 16 * k, d * static_cast<float>(s), y + 32 * k);
    }
  }

  // --- snap ---
  static NIBBLE_INLINE void snap(const float* x, const float*, const Params& params, int i,
                                 float* y) {
    const float scale = params.of(i / 32);
    *y = scale * Codebook16::nearest(*x * inverse_or_zero(scale));
  }

  // --- dot ---
  static constexpr int kGroup = 32;
  static constexpr bool kSigned = true;
  static constexpr bool kHasMinimum = false;
  static constexpr int kZero = 0;
  template <class V>
  static NIBBLE_INLINE void scales(const Block* block, int, typename V::F32& scale,
                                   typename V::F32&) {
    const uint64_t bytes = scale_bytes(*block);
    const auto s =
        V::from_u8(static_cast<uint32_t>(bytes), static_cast<uint32_t>(bytes >> 32), 0, 0);
    scale = V::mul(V::sub(s, V::set1(32.0f)), V::set1(V::from_f16(block->d)));
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 codes(const Block* block, int) {
    const auto q = V::load_two_twice(block->q + 32 * j, block->q + 32 * j + 16);
    return V::template shift_right<16, 0, 4, 15>(q);
  }
  template <class V, int j>
  static NIBBLE_INLINE typename V::I8 weights(const Block* block, int blocks) {
    return V::lookup_bytes(Codebook16::bytes(), codes<V, j>(block, blocks));
  }

  // --- interleave ---
  static constexpr int kCodeBits = 4;
  static constexpr const int8_t* kCodebook = Codebook16::kValues;
  static constexpr ScaleForm kScaleForm = ScaleForm::kBytes;
  static NIBBLE_INLINE StoredScales stored_scales(const Block& block) {
    StoredScales scales = {block.d, 0, {}, {}};
    const uint64_t bytes = scale_bytes(block);
    for (int k = 0; k < kSubBlocks; ++k) {
      scales.s[k] = static_cast<int8_t>(static_cast<int>(bytes >> (8 * k) & 0xff) - 32);
    }
    return scales;
  }

 private:
  // Of each lane's sub-block: the integer, the d of its block, and the sums under the codes they
  // give.
  template <class V>
  struct Integers {
    typename V::F32 s;
    typename V::F32 unit;
    typename V::F32 gain;
    SymmetricSums<V> sums;
  };

  // In each lane, its block's value of largest magnitude over the lowest integer, as f16 has it.
  template <class V>
  static NIBBLE_INLINE typename V::F32 first_units(typename V::F32 scales) {
    return each_block<V, kSubBlocks>(scales, [](const float* scale) {
      float extreme = 0.0f;
      for (int k = 0; k < kSubBlocks; ++k) {
        if (std::fabs(scale[k]) > std::fabs(extreme)) extreme = scale[k];
      }
      return f32_from_f16(f16_from_f32(extreme / kLowestScale));
    });
  }

  // The integers around the given scales that gain most.
  template <class V>
  static NIBBLE_INLINE Integers<V> choose(const Tile<V, 32>& tile, typename V::F32 scale,
                                          typename V::F32 unit, int radius) {
    const auto s0 =
        round_into<V>(V::mul(scale, inverse_or_zero<V>(unit)), kLowestScale, kHighestScale);
    Integers<V> best = {s0, unit, V::set1(-INFINITY), {V::zero(), V::zero()}};
    for (int i = 0; i <= 2 * radius; ++i) {
      const float step = static_cast<float>(i % 2 == 1 ? (i + 1) / 2 : -i / 2);
      const auto s = round_into<V>(V::add(s0, V::set1(step)), kLowestScale, kHighestScale);
      const auto stored = V::mul(s, unit);
      const auto sums = codebook_sums<V, 32>(tile, inverse_or_zero<V>(stored));
      // what the scale takes off sum w x x: 2 scale xl - scale scale ll
      const auto twice = V::add(sums.xl, sums.xl);
      const auto gain = V::mul(stored, V::sub(twice, V::mul(stored, sums.ll)));
      const auto is_better = V::greater(gain, best.gain);
      best.s = V::select(is_better, s, best.s);
      best.gain = V::select(is_better, gain, best.gain);
      best.sums.xl = V::select(is_better, sums.xl, best.sums.xl);
      best.sums.ll = V::select(is_better, sums.ll, best.sums.ll);
    }
    return best;
  }

  // d of each lane's block that leaves least for the integers and codes chosen.
  template <class V>
  static NIBBLE_INLINE typename V::F32 refit_units(const Integers<V>& chosen) {
    const auto xl = block_sums<V, kSubBlocks>(V::mul(chosen.s, chosen.sums.xl));
    const auto ll = block_sums<V, kSubBlocks>(V::mul(V::mul(chosen.s, chosen.s), chosen.sums.ll));
    return each_block<V, kSubBlocks>(V::mul(xl, inverse_or_zero<V>(ll)), [](const float* unit) {
      return f32_from_f16(f16_from_f32(*unit));
    });
  }

  // Takes the blocks that gain more as a whole.
  template <class V>
  static NIBBLE_INLINE void keep_better(const Integers<V>& next, Integers<V>& best) {
    const auto gain = block_sums<V, kSubBlocks>(V::sub(next.gain, best.gain));
    const auto is_better = V::greater(gain, V::zero());
    best.s = V::select(is_better, next.s, best.s);
    best.unit = V::select(is_better, next.unit, best.unit);
    best.gain = V::select(is_better, next.gain, best.gain);
    best.sums.xl = V::select(is_better, next.sums.xl, best.sums.xl);
    best.sums.ll = V::select(is_better, next.sums.ll, best.sums.ll);
  }
};

}  // namespace nibble
