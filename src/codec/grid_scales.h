// What the iq1, iq2 and iq3 formats share: blocks of 256 weights under one f16 factor d, groups of
// n weights with an odd integer 2s + 1 on top, and entries of a grid (grids.h),
//   w = d * kUnit * (2s + 1) * level * sign   or   w = d * kUnit * (2s + 1) * (level + shift)
// The Params of these formats. A format describes itself by a struct C:
//   Grid, grid()     its grid
//   kGroup           n
//   kTopScale        the largest s
//   kUnit            see above
//   kSigns           how signs are stored
//   kShift           0, or what is added to (shift 0) or taken from (shift 1) all levels
//   kShiftsGroup     a shift is chosen for each group, not for each entry
//   kSearches        by effort
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/numeric.h"
#include "codec/fit.h"
#include "codec/grid_search.h"

namespace nibble {

enum class Signs {
  kNone,  // levels have signs themselves
  kEven,  // of 8 weights an even number is negative: 7 bits are stored
  kFree,
};

// The weight of 8 that costs least when it gets the wrong sign.
NIBBLE_INLINE int cheapest_sign(const float* magnitudes, const float* importance) {
  float sum = 0.0f;
  for (int i = 0; importance != nullptr && i < 8; ++i) sum += importance[i];
  int cheapest = 0;
  float least = INFINITY;
  for (int i = 0; i < 8; ++i) {
    const float cost = sum > 0.0f ? importance[i] * magnitudes[i] : magnitudes[i];
    if (cost < least) {
      least = cost;
      cheapest = i;
    }
  }
  return cheapest;
}

// The signs that 8 weights get, a bit each, and what is left to be found in the grid: magnitudes,
// one of them negative where the number of negative weights is odd and has to be even.
template <Signs kind>
NIBBLE_INLINE uint8_t take_signs(const float* x, const float* importance, float* magnitudes) {
  unsigned signs = 0;
  for (int i = 0; i < 8; ++i) {
    magnitudes[i] = kind == Signs::kNone ? x[i] : std::fabs(x[i]);
    signs |= (x[i] < 0.0f ? 1u : 0u) << i;
  }
  if (kind == Signs::kEven && std::popcount(signs) % 2 != 0) {
    const int i = cheapest_sign(magnitudes, importance);
    magnitudes[i] = -magnitudes[i];
    signs ^= 1u << i;
  }
  return static_cast<uint8_t>(kind == Signs::kNone ? 0 : signs);
}

// Scales that are tried for a group, as multiples of its root mean square.
struct GridScaleSearch {
  float first;
  float last;
  int steps;   // 0: `first` is taken unseen
  int radius;  // integers around the ideal one that are tried; 0: the scale that is best for the
               // entries nearest under the ideal one is taken instead
  int rounds;  // times that d is fitted to the integers, and these to it
};

template <class C>
struct GridScales {
  using Grid = typename C::Grid;
  static constexpr int n = C::kGroup;
  static constexpr int kWidth = Grid::kWidth;
  static constexpr int kGroups = 256 / n;
  static constexpr int kFitBlocks = 16 / kGroups;
  static constexpr int kShifts = C::kShift == 0 ? 1 : 2;
  static constexpr float kTop = 2 * C::kTopScale + 1;

  uint16_t d;
  uint8_t scale[kGroups];
  uint8_t shift[kGroups];  // 0 where shifts are chosen for each entry

  NIBBLE_INLINE float of(int k) const {
    return f32_from_f16(d) * static_cast<float>(2 * scale[k] + 1) * C::kUnit;
  }

  // --- fit: each group alone, then d, then the integers, then d again ---
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int blocks,
                                const GridScaleSearch& search, GridScales* fitted) {
    float magnitudes[kFitBlocks * 256];
    for (int i = 0; i < blocks * 256; i += 8) {
      take_signs<C::kSigns>(x + i, importance == nullptr ? nullptr : importance + i,
                            magnitudes + i);
    }
    Tile<V, n> tile;
    load_tile<V, n>(magnitudes, importance, blocks * kGroups, tile);
    const auto ideal = ideal_scales<V>(tile, search);
    if (search.radius == 0) return store<V>(follow_entries<V>(tile, ideal), blocks, fitted);
    Integers<V> best = choose<V>(tile, ideal, first_units<V>(ideal), search.radius);
    for (int round = 0; round < search.rounds; ++round) {
      const auto scale = V::mul(best.s, best.unit);
      keep_better<V>(choose<V>(tile, scale, refit_units<V>(tile, best), search.radius), best);
    }
    store<V>(best, blocks, fitted);
  }

  // --- pack: index[e] of each entry, and for each 8 weights signs, or for each entry its shift ---
  struct Codes {
    uint16_t index[256 / kWidth];
    uint8_t signs[32];
    uint8_t shift[256 / kWidth];
  };
  template <class V>
  NIBBLE_INLINE Codes codes(const float* x, const float* importance) const {
    Codes codes;
    float magnitudes[256];
    for (int i = 0; i < 32; ++i) {
      codes.signs[i] = take_signs<C::kSigns>(
          x + 8 * i, importance == nullptr ? nullptr : importance + 8 * i, magnitudes + 8 * i);
    }
    Tile<V, 16> tile;
    load_transposed<V, 16>(magnitudes, 16, tile.x);
    if (importance != nullptr) load_transposed<V, 16>(importance, 16, tile.w);
    Lanes<V> scales, shifts;
    for (int k = 0; k < 16; ++k) {
      scales[k] = of(k * 16 / n);
      shifts[k] = shift[k * 16 / n];
    }
    for (int e = 0; e < 16 / kWidth; ++e) {
      uint16_t index[16];
      uint8_t shift_of[16];
      const auto* w = importance == nullptr ? nullptr : tile.w + kWidth * e;
      nearest<V>(tile.x + kWidth * e, w, scales.load(), shifts.load(), index, shift_of);
      for (int k = 0; k < 16; ++k) {
        codes.index[k * (16 / kWidth) + e] = index[k];
        codes.shift[k * (16 / kWidth) + e] = shift_of[k];
      }
    }
    return codes;
  }

  // --- snap ---
  NIBBLE_INLINE void snap(const float* x, const float* importance, int i, float* y) const {
    float magnitudes[8];
    const uint8_t signs = take_signs<C::kSigns>(x, importance, magnitudes);
    for (int at = 0; at < 8; at += kWidth) {
      uint16_t index;
      uint8_t shift_of;
      nearest<OneLane>(magnitudes + at, importance == nullptr ? nullptr : importance + at,
                       of(i / n), static_cast<float>(shift[i / n]), &index, &shift_of);
      decode_entry(of(i / n), index, signs >> at, shift_of, y + at);
    }
  }

  // --- decode ---
  static NIBBLE_INLINE void decode_entry(float scale, int index, int signs, int shift, float* y) {
    int8_t levels[kWidth];
    std::memcpy(levels, &C::grid().values[index], sizeof levels);
    for (int i = 0; i < kWidth; ++i) {
      const auto level = static_cast<float>(levels[i]);
      if constexpr (C::kSigns == Signs::kNone) {
        y[i] = scale * (level + (shift != 0 ? -C::kShift : C::kShift));
      } else {
        y[i] = (signs >> i & 1) != 0 ? -(scale * level) : scale * level;
      }
    }
  }

 private:
  template <class V>
  struct Integers {
    typename V::F32 s;  // 2s + 1
    typename V::F32 shift, error, unit;
  };

  template <class V>
  static NIBBLE_INLINE void scaled_levels(typename V::F32 scale, int shift, typename V::F32* out) {
    const float added = shift != 0 ? -C::kShift : C::kShift;
    for (int l = 0; l < Grid::kLevels; ++l) {
      out[l] = V::mul(scale, V::set1(static_cast<float>(Grid::kLevelValues[l]) + added));
    }
  }

  template <class V>
  struct Error {
    typename V::F32 error;
    typename V::F32 shift;  // of the group
  };

  // The error of groups under given scales, with the best shifts.
  template <class V>
  static NIBBLE_INLINE Error<V> error_of(const Tile<V, n>& tile, typename V::F32 scale) {
    using Vector = typename V::F32;
    Vector levels[kShifts][Grid::kLevels];
    for (int s = 0; s < kShifts; ++s) scaled_levels<V>(scale, s, levels[s]);
    Vector total[2] = {V::zero(), V::zero()};
    for (int i = 0; i < n; i += kWidth) {
      Vector errors[2];
      for (int s = 0; s < kShifts; ++s) {
        const GridSearch<V, Grid> search(tile.x + i, tile.w + i, levels[s]);
        errors[s] = search.least_error(C::grid());
      }
      if constexpr (kShifts == 2 && C::kShiftsGroup) {
        total[1] = V::add(total[1], errors[1]);
      } else if constexpr (kShifts == 2) {
        errors[0] = V::min(errors[1], errors[0]);
      }
      total[0] = V::add(total[0], errors[0]);
    }
    if constexpr (kShifts == 1 || !C::kShiftsGroup) return {total[0], V::zero()};
    const auto is_less = V::greater(total[0], total[1]);
    return {V::select(is_less, total[1], total[0]), V::select(is_less, V::set1(1.0f), V::zero())};
  }

  // The nearest entries of kWidth weights in each lane. Weights that are all of no importance count
  // as equally important.
  template <class V>
  static NIBBLE_INLINE void nearest(const typename V::F32* x, const typename V::F32* importance,
                                    typename V::F32 scale, typename V::F32 group_shift,
                                    uint16_t* index, uint8_t* shift_of) {
    using Vector = typename V::F32;
    constexpr int kLanes = static_cast<int>(sizeof(Vector) / sizeof(float));
    Vector w[kWidth];
    auto sum = V::set1(0.0f);
    for (int i = 0; i < kWidth; ++i) {
      w[i] = importance == nullptr ? V::set1(1.0f) : importance[i];
      sum = V::add(sum, w[i]);
    }
    const auto is_used = V::greater(sum, V::set1(0.0f));
    for (int i = 0; i < kWidth; ++i) w[i] = V::select(is_used, w[i], V::set1(1.0f));
    Vector levels[Grid::kLevels];
    scaled_levels<V>(scale, 0, levels);
    const GridSearch<V, Grid> search(x, w, levels);
    const auto error = search.nearest(C::grid(), index);
    for (int k = 0; k < kLanes; ++k) shift_of[k] = 0;
    if constexpr (kShifts == 2) {
      scaled_levels<V>(scale, 1, levels);
      const GridSearch<V, Grid> shifted(x, w, levels);
      uint16_t other[kLanes];
      const auto other_error = shifted.nearest(C::grid(), other);
      const auto is_less =
          C::kShiftsGroup ? V::greater(group_shift, V::set1(0.5f)) : V::greater(error, other_error);
      float takes_other[kLanes];
      V::store(takes_other, V::select(is_less, V::set1(1.0f), V::set1(0.0f)));
      for (int k = 0; k < kLanes; ++k) {
        if (takes_other[k] == 0.0f) continue;
        index[k] = other[k];
        shift_of[k] = 1;
      }
    }
  }

  // The best scale of each group alone. The last one tried puts the largest weight at the largest
  // level, for groups that are little else.
  template <class V>
  static NIBBLE_INLINE typename V::F32 ideal_scales(const Tile<V, n>& tile,
                                                    const GridScaleSearch& search) {
    auto xx = V::zero();
    auto w = V::zero();
    auto largest = V::zero();
    for (int i = 0; i < n; ++i) {
      xx = V::fma(V::mul(tile.w[i], tile.x[i]), tile.x[i], xx);
      w = V::add(w, tile.w[i]);
      largest = V::max(V::abs(tile.x[i]), largest);
    }
    const auto size = V::sqrt(V::mul(xx, inverse_or_zero<V>(w)));
    if (search.steps == 0) return V::mul(size, V::set1(search.first));
    auto best = size;
    auto least = V::set1(INFINITY);
    const float step =
        (search.last - search.first) / static_cast<float>(std::max(search.steps - 1, 1));
    const float top = static_cast<float>(Grid::kLevelValues[Grid::kLevels - 1]) + C::kShift;
    for (int k = 0; k <= search.steps; ++k) {
      const auto scale = k == search.steps
                             ? V::mul(largest, V::set1(1.0f / top))
                             : V::mul(size, V::set1(search.first + step * static_cast<float>(k)));
      const auto error = error_of<V>(tile, scale).error;
      const auto is_less = V::greater(least, error);
      best = V::select(is_less, scale, best);
      least = V::select(is_less, error, least);
    }
    return best;
  }

  // In each lane, the factor (d * kUnit) of its block under which the largest scale is the largest
  // integer.
  template <class V>
  static NIBBLE_INLINE typename V::F32 first_units(typename V::F32 scales) {
    return each_block<V, kGroups>(block_maxima<V, kGroups>(scales),
                                  [](const float* largest) { return as_stored(*largest / kTop); });
  }

  static NIBBLE_INLINE uint16_t stored(float unit) {
    constexpr float kLargest = 65504.0f;
    return f16_from_f32(std::min(unit / C::kUnit, kLargest));
  }
  static NIBBLE_INLINE float as_stored(float unit) { return f32_from_f16(stored(unit)) * C::kUnit; }

  // s for given scales.
  template <class V>
  static NIBBLE_INLINE typename V::F32 nearest_integers(typename V::F32 scale,
                                                        typename V::F32 unit) {
    const auto odd = V::mul(scale, inverse_or_zero<V>(unit));
    return round_into<V>(V::mul(V::sub(odd, V::set1(1.0f)), V::set1(0.5f)), 0.0f, C::kTopScale);
  }
  template <class V>
  static NIBBLE_INLINE typename V::F32 odd_of(typename V::F32 s) {
    return V::add(V::add(s, s), V::set1(1.0f));
  }

  // The integers around given scales with the lowest error.
  template <class V>
  static NIBBLE_INLINE Integers<V> choose(const Tile<V, n>& tile, typename V::F32 scale,
                                          typename V::F32 unit, int radius) {
    const auto s0 = nearest_integers<V>(scale, unit);
    Integers<V> best = {V::set1(1.0f), V::zero(), V::set1(INFINITY), unit};
    for (int i = -radius; i <= radius; ++i) {
      const auto s = round_into<V>(V::add(s0, V::set1(static_cast<float>(i))), 0.0f, C::kTopScale);
      const auto odd = odd_of<V>(s);
      const auto found = error_of<V>(tile, V::mul(odd, unit));
      const auto is_less = V::greater(best.error, found.error);
      best.s = V::select(is_less, odd, best.s);
      best.shift = V::select(is_less, found.shift, best.shift);
      best.error = V::select(is_less, found.error, best.error);
    }
    return best;
  }

  // sum w x l and sum w l l for the levels l of the entries nearest under given scales and shifts.
  template <class V>
  static NIBBLE_INLINE SymmetricSums<V> entry_sums(const Tile<V, n>& tile, typename V::F32 scale,
                                                   typename V::F32 group_shift) {
    int8_t bytes[16][n];
    uint8_t shifts[n / kWidth][16];
    for (int i = 0; i < n; i += kWidth) {
      uint16_t index[16];
      nearest<V>(tile.x + i, tile.w + i, scale, group_shift, index, shifts[i / kWidth]);
      for (int k = 0; k < 16; ++k) std::memcpy(bytes[k] + i, &C::grid().values[index[k]], kWidth);
    }
    SymmetricSums<V> sums = {V::zero(), V::zero()};
    typename V::F32 levels[16];
    for (int part = 0; part < n; part += 16) {
      for (int k = 0; k < 16; ++k) levels[k] = V::load_i8(bytes[k] + part);
      V::transpose(levels);
      for (int i = 0; i < 16; ++i) {
        auto level = levels[i];
        if constexpr (kShifts == 2) {
          const auto* shift = reinterpret_cast<const int8_t*>(shifts[(part + i) / kWidth]);
          level = V::fma(V::load_i8(shift), V::set1(-2.0f * C::kShift),
                         V::add(level, V::set1(C::kShift)));
        }
        const auto weighted = V::mul(tile.w[part + i], level);
        sums.xl = V::fma(weighted, tile.x[part + i], sums.xl);
        sums.ll = V::fma(weighted, level, sums.ll);
      }
    }
    return sums;
  }

  // d that leaves least for integers (2s + 1) and the entries that sums come from.
  template <class V>
  static NIBBLE_INLINE typename V::F32 best_units(typename V::F32 odd,
                                                  const SymmetricSums<V>& sums) {
    const auto sl = V::mul(odd, sums.xl);
    const auto ss = V::mul(V::mul(odd, odd), sums.ll);
    const auto ideal =
        V::mul(block_sums<V, kGroups>(sl), inverse_or_zero<V>(block_sums<V, kGroups>(ss)));
    return each_block<V, kGroups>(
        ideal, [](const float* unit) { return as_stored(std::max(0.0f, *unit)); });
  }

  // d for the integers chosen and the entries nearest under them.
  template <class V>
  static NIBBLE_INLINE typename V::F32 refit_units(const Tile<V, n>& tile,
                                                   const Integers<V>& chosen) {
    return best_units<V>(chosen.s,
                         entry_sums<V>(tile, V::mul(chosen.s, chosen.unit), chosen.shift));
  }

  // Scales that fit the entries nearest under given ones.
  template <class V>
  static NIBBLE_INLINE Integers<V> follow_entries(const Tile<V, n>& tile, typename V::F32 scale) {
    const auto sums = entry_sums<V>(tile, scale, V::zero());
    const auto fitted = V::max(V::mul(sums.xl, inverse_or_zero<V>(sums.ll)), V::zero());
    const auto odd = odd_of<V>(nearest_integers<V>(fitted, first_units<V>(fitted)));
    return {odd, V::zero(), V::zero(), best_units<V>(odd, sums)};
  }

  // Takes the blocks whose whole error is lower.
  template <class V>
  static NIBBLE_INLINE void keep_better(const Integers<V>& next, Integers<V>& best) {
    const auto gain = block_sums<V, kGroups>(V::sub(best.error, next.error));
    const auto is_better = V::greater(gain, V::zero());
    best.s = V::select(is_better, next.s, best.s);
    best.shift = V::select(is_better, next.shift, best.shift);
    best.error = V::select(is_better, next.error, best.error);
    best.unit = V::select(is_better, next.unit, best.unit);
  }

  template <class V>
  static NIBBLE_INLINE void store(const Integers<V>& best, int blocks, GridScales* fitted) {
    const Lanes<V> s(best.s), shift(best.shift), unit(best.unit);
    for (int b = 0; b < blocks; ++b) {
      const int first = b * kGroups;
      fitted[b].d = stored(unit[first]);
      for (int k = 0; k < kGroups; ++k) {
        fitted[b].scale[k] = static_cast<uint8_t>((static_cast<int>(s[first + k]) - 1) / 2);
        fitted[b].shift[k] = static_cast<uint8_t>(shift[first + k]);
      }
    }
  }
};

}  // namespace nibble
