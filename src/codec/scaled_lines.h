// What q2_k, q4_k and q5_k share: sub-blocks of n weights with integer scales s and minimums m in
// [0, kLimit] under two f16 factors of the block,
//   w = d * s * q - dmin * m,   q in 0..kTop
// The Params of these formats.
#pragma once

#include <algorithm>
#include <cmath>

#include "base/numeric.h"
#include "codec/fit.h"

namespace nibble {

struct ScaledLineSearch {
  AffineSearch ideal;  // of each sub-block alone
  int radius;          // integers around the ideal scale and minimum that are tried
  int rounds;          // times that d and dmin are fitted to the integers, and these to them
};

template <int n, int kSubBlocks, int kTop, int kLimit>
struct ScaledLines {
  static constexpr int kFitBlocks = 16 / kSubBlocks;

  uint16_t d;
  uint16_t dmin;
  uint8_t scale[kSubBlocks];
  uint8_t minimum[kSubBlocks];

  struct Line {
    float scale;
    float minimum;
  };
  NIBBLE_INLINE Line of(int k) const {
    return {f32_from_f16(d) * static_cast<float>(scale[k]),
            f32_from_f16(dmin) * static_cast<float>(minimum[k])};
  }

  // --- fit: each sub-block alone, then d and dmin, then the integers, then d and dmin again ---
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int blocks,
                                const ScaledLineSearch& search, ScaledLines* fitted) {
    Tile<V, n> tile;
    load_tile<V, n>(x, importance, blocks * kSubBlocks, tile);
    const auto ideal = fit_affine<V, n>(tile, kTop, search.ideal);
    Lanes<V> units = first_units<V>(ideal.scale);
    Lanes<V> minimum_units = first_units<V>(ideal.minimum);
    Integers<V> best = choose<V>(tile, ideal.scale, ideal.minimum, units.load(),
                                 minimum_units.load(), search.radius);
    for (int round = 0; round < search.rounds; ++round) {
      refit_units<V>(tile, best, units, minimum_units);
      const auto scale = V::mul(best.s, best.unit);
      const auto minimum = V::mul(best.m, best.minimum_unit);
      const Integers<V> next =
          choose<V>(tile, scale, minimum, units.load(), minimum_units.load(), search.radius);
      keep_better<V>(next, best);
    }
    store<V>(best, blocks, fitted);
  }

  // --- pack ---
  template <class V>
  NIBBLE_INLINE void codes(const float* x, uint8_t* q) const {
    for (int k = 0; k < kSubBlocks; ++k) {
      const Line line = of(k);
      const float inverse = inverse_or_zero(line.scale);
      round_codes<V>(x + n * k, n, inverse, line.minimum * inverse, 0.0f, kTop, 0.0f, q + n * k);
    }
  }

  // --- snap ---
  NIBBLE_INLINE float snap(float x, int i) const {
    const Line line = of(i / n);
    const float inverse = inverse_or_zero(line.scale);
    return line.scale * round_code(x, inverse, line.minimum * inverse, 0.0f, kTop) - line.minimum;
  }

 private:
  template <class V>
  struct Integers {
    typename V::F32 s, m, error;
    typename V::F32 unit, minimum_unit;  // d and dmin of the lane's block
  };

  // In each lane, its block's largest value over the largest integer, as f16 has it.
  template <class V>
  static NIBBLE_INLINE Lanes<V> first_units(typename V::F32 values) {
    return Lanes<V>(each_block<V, kSubBlocks>(
        block_maxima<V, kSubBlocks>(values),
        [](const float* largest) { return f32_from_f16(f16_from_f32(*largest / kLimit)); }));
  }

  // The integers around the given scale and minimum with the lowest error.
  template <class V>
  static NIBBLE_INLINE Integers<V> choose(const Tile<V, n>& tile, typename V::F32 scale,
                                          typename V::F32 minimum, typename V::F32 unit,
                                          typename V::F32 minimum_unit, int radius) {
    const auto s0 = round_into<V>(V::mul(scale, inverse_or_zero<V>(unit)), 0.0f, kLimit);
    const auto m0 = round_into<V>(V::mul(minimum, inverse_or_zero<V>(minimum_unit)), 0.0f, kLimit);
    Integers<V> best = {s0, m0, V::set1(INFINITY), unit, minimum_unit};
    for (int i = -radius; i <= radius; ++i) {
      const auto s = round_into<V>(V::add(s0, V::set1(static_cast<float>(i))), 0.0f, kLimit);
      const auto candidate = V::mul(s, unit);
      const auto inverse = inverse_or_zero<V>(candidate);
      // A larger scale wants a larger minimum: the opposite pairs gain nothing.
      const int last = std::min(radius, radius + i);
      for (int j = std::max(-radius, i - radius); j <= last; ++j) {
        const auto m = round_into<V>(V::add(m0, V::set1(static_cast<float>(j))), 0.0f, kLimit);
        const auto error =
            affine_error<V, n>(tile, candidate, inverse, V::mul(m, minimum_unit), kTop);
        const auto is_better = V::greater(best.error, error);
        best.s = V::select(is_better, s, best.s);
        best.m = V::select(is_better, m, best.m);
        best.error = V::select(is_better, error, best.error);
      }
    }
    return best;
  }

  // d and dmin that leave least for the integers and codes chosen: the normal equations of
  // x ~ d * (s q) - dmin * m over a block.
  template <class V>
  static NIBBLE_INLINE void refit_units(const Tile<V, n>& tile, const Integers<V>& chosen,
                                        Lanes<V>& units, Lanes<V>& minimum_units) {
    const auto scale = V::mul(chosen.s, chosen.unit);
    const auto inverse = inverse_or_zero<V>(scale);
    const auto offset = V::mul(V::mul(chosen.m, chosen.minimum_unit), inverse);
    auto w = V::zero(), x = V::zero(), l = V::zero(), xl = V::zero(), ll = V::zero();
    for (int i = 0; i < n; ++i) {
      const auto code = round_into<V>(V::fma(tile.x[i], inverse, offset), 0.0f, kTop);
      const auto weighted = V::mul(tile.w[i], code);
      w = V::add(w, tile.w[i]);
      x = V::fma(tile.w[i], tile.x[i], x);
      l = V::add(l, weighted);
      xl = V::fma(weighted, tile.x[i], xl);
      ll = V::fma(weighted, code, ll);
    }
    const Lanes<V> a(block_sums<V, kSubBlocks>(V::mul(V::mul(chosen.s, chosen.s), ll)));
    const Lanes<V> b(block_sums<V, kSubBlocks>(V::mul(V::mul(chosen.s, chosen.m), l)));
    const Lanes<V> c(block_sums<V, kSubBlocks>(V::mul(V::mul(chosen.m, chosen.m), w)));
    const Lanes<V> p(block_sums<V, kSubBlocks>(V::mul(chosen.s, xl)));
    const Lanes<V> q(block_sums<V, kSubBlocks>(V::mul(chosen.m, x)));
    for (int begin = 0; begin < 16; begin += kSubBlocks) {
      const float sa = a[begin], sb = b[begin], sc = c[begin], sp = p[begin], sq = q[begin];
      const float determinant = sa * sc - sb * sb;
      float unit = sp * inverse_or_zero(sa);
      float minimum_unit = minimum_units[begin];
      if (determinant > 1e-5f * sa * sc) {
        unit = (sp * sc - sq * sb) / determinant;
        minimum_unit = (sp * sb - sq * sa) / determinant;
      }
      unit = f32_from_f16(f16_from_f32(std::max(unit, 0.0f)));
      minimum_unit = f32_from_f16(f16_from_f32(std::max(minimum_unit, 0.0f)));
      for (int k = begin; k < begin + kSubBlocks; ++k) {
        units[k] = unit;
        minimum_units[k] = minimum_unit;
      }
    }
  }

  // Takes the blocks whose whole error is lower.
  template <class V>
  static NIBBLE_INLINE void keep_better(const Integers<V>& next, Integers<V>& best) {
    const auto gain = block_sums<V, kSubBlocks>(V::sub(best.error, next.error));
    const auto is_better = V::greater(gain, V::zero());
    best.s = V::select(is_better, next.s, best.s);
    best.m = V::select(is_better, next.m, best.m);
    best.error = V::select(is_better, next.error, best.error);
    best.unit = V::select(is_better, next.unit, best.unit);
    best.minimum_unit = V::select(is_better, next.minimum_unit, best.minimum_unit);
  }

  template <class V>
  static NIBBLE_INLINE void store(const Integers<V>& best, int blocks, ScaledLines* fitted) {
    const Lanes<V> s(best.s), m(best.m), unit(best.unit), minimum_unit(best.minimum_unit);
    for (int b = 0; b < blocks; ++b) {
      const int first = b * kSubBlocks;
      fitted[b].d = f16_from_f32(unit[first]);
      fitted[b].dmin = f16_from_f32(minimum_unit[first]);
      for (int k = 0; k < kSubBlocks; ++k) {
        fitted[b].scale[k] = static_cast<uint8_t>(s[first + k]);
        fitted[b].minimum[k] = static_cast<uint8_t>(m[first + k]);
      }
    }
  }
};

}  // namespace nibble
