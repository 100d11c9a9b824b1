// What q3_k and q6_k share: 16 sub-blocks of 16 weights with integer scales s in [kLowest,
// -kLowest - 1] under one f16 factor of the block,
//   w = d * s * q,   q in [kLow, -kLow - 1]
// The Params of these formats.
#pragma once

#include <algorithm>

#include "base/numeric.h"
#include "codec/fit.h"

namespace nibble {

struct ScaledCodeSearch {
  SymmetricSearch ideal;  // of each sub-block alone
  int radius;             // integers around the ideal scale that are tried
  int rounds;             // times that d is fitted to the integers, and these to it
};

template <int kLow, int kLowest>
struct ScaledCodes {
  static constexpr int kFitBlocks = 1;
  static constexpr int kSubBlocks = 16;
  static constexpr float kHigh = -kLow - 1;

  uint16_t d;
  int8_t scale[kSubBlocks];
  NIBBLE_INLINE float of(int k) const { return f32_from_f16(d) * static_cast<float>(scale[k]); }

  // --- fit: each sub-block alone, then d, then the integers, then d again ---
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance,
                                const ScaledCodeSearch& search, ScaledCodes* fitted) {
    Tile<V, 16> tile;
    load_tile<V, 16>(x, importance, kSubBlocks, tile);
    const auto ideal = fit_symmetric<V, 16>(tile, kLow, kHigh, search.ideal);
    float extreme = 0.0f;
    const Lanes<V> scales(ideal);
    for (int k = 0; k < 16; ++k) {
      if (std::fabs(scales[k]) > std::fabs(extreme)) extreme = scales[k];
    }
    Integers<V> best = choose<V>(tile, ideal, as_f16(extreme / kLowest), search.radius);
    for (int round = 0; round < search.rounds; ++round) {
      const auto scale = V::mul(best.s, V::set1(best.unit));
      const auto next = choose<V>(tile, scale, refit_unit<V>(tile, best), search.radius);
      if (next.total < best.total) best = next;
    }
    const Lanes<V> s(best.s);
    fitted->d = f16_from_f32(best.unit);
    for (int k = 0; k < kSubBlocks; ++k) fitted->scale[k] = static_cast<int8_t>(s[k]);
  }

  // --- pack ---
  template <class V>
  NIBBLE_INLINE void codes(const float* x, uint8_t* q) const {
    for (int k = 0; k < kSubBlocks; ++k) {
      round_codes<V>(x + 16 * k, 16, inverse_or_zero(of(k)), 0.0f, kLow, kHigh, -kLow, q + 16 * k);
    }
  }

  // --- snap ---
  NIBBLE_INLINE float snap(float x, int i) const {
    const float scale_of_i = of(i / 16);
    return scale_of_i * round_code(x, inverse_or_zero(scale_of_i), 0.0f, kLow, kHigh);
  }

 private:
  static NIBBLE_INLINE float as_f16(float x) { return f32_from_f16(f16_from_f32(x)); }

  template <class V>
  struct Integers {
    typename V::F32 s;
    float unit;   // d
    float total;  // error of the block
  };

  // The integers around the given scales with the lowest errors.
  template <class V>
  static NIBBLE_INLINE Integers<V> choose(const Tile<V, 16>& tile, typename V::F32 scale,
                                          float unit, int radius) {
    const auto units = V::set1(unit);
    constexpr float kHighest = -kLowest - 1;
    const auto s0 = round_into<V>(V::mul(scale, inverse_or_zero<V>(units)), kLowest, kHighest);
    auto best = s0;
    auto best_error = symmetric_error<V, 16>(tile, V::mul(s0, units), kLow, kHigh);
    for (int i = 1; i <= 2 * radius; ++i) {
      const float step = static_cast<float>(i % 2 == 1 ? (i + 1) / 2 : -i / 2);
      const auto s = round_into<V>(V::add(s0, V::set1(step)), kLowest, kHighest);
      const auto error = symmetric_error<V, 16>(tile, V::mul(s, units), kLow, kHigh);
      const auto is_better = V::greater(best_error, error);
      best = V::select(is_better, s, best);
      best_error = V::select(is_better, error, best_error);
    }
    return {best, unit, V::sum(best_error)};
  }

  // d that leaves least for the integers and codes chosen.
  template <class V>
  static NIBBLE_INLINE float refit_unit(const Tile<V, 16>& tile, const Integers<V>& chosen) {
    const auto sums =
        symmetric_sums<V, 16>(tile, V::mul(chosen.s, V::set1(chosen.unit)), kLow, kHigh);
    const float xl = V::sum(V::mul(chosen.s, sums.xl));
    const float ll = V::sum(V::mul(V::mul(chosen.s, chosen.s), sums.ll));
    return as_f16(xl * inverse_or_zero(ll));
  }
};

}  // namespace nibble
