// Searches that formats share: the scale (and minimum) under which rounding a sub-block's weights
// to small integers loses least, as the sum of w (x - y)^2. All run in the 16 lanes of a Tile.
//
// For given codes l the best scale is a quotient of sums, and the error that is left follows from
// the same sums, so a candidate costs one pass over the weights; the searches differ in which
// candidates they try.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/attributes.h"
#include "codec/tile.h"
#include "nibble/effort.h"

namespace nibble {

template <class V>
NIBBLE_INLINE typename V::F32 round_into(typename V::F32 x, float low, float high) {
  // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer, ties to even, where |x| <
  // 2^22: half the time of a rounding instruction.
  const auto magic = V::set1(12582912.0f);
  return V::sub(V::add(V::min(V::max(x, V::set1(low)), V::set1(high)), magic), magic);
}

// x * factor rounded into [low, high], for one operation less. The clamp comes last: what is too
// large to be rounded to an integer stays on its side of the limits.
template <class V>
NIBBLE_INLINE typename V::F32 round_product(typename V::F32 x, typename V::F32 factor, float low,
                                            float high) {
  constexpr float kMagic = 12582912.0f;
  const auto rounded = V::fma(x, factor, V::set1(kMagic));
  const auto clamped = V::min(V::max(rounded, V::set1(kMagic + low)), V::set1(kMagic + high));
  return V::sub(clamped, V::set1(kMagic));
}

NIBBLE_INLINE float round_into(float x, float low, float high) {
  const float rounded = std::nearbyint(x);
  return rounded < low ? low : rounded > high ? high : rounded;
}

// 1 / x where x is a number that can be inverted, else 0.
template <class V>
NIBBLE_INLINE typename V::F32 inverse_or_zero(typename V::F32 x) {
  const auto is_usable = V::greater(V::abs(x), V::set1(1e-30f));
  return V::select(is_usable, V::div(V::set1(1.0f), V::select(is_usable, x, V::set1(1.0f))),
                   V::zero());
}
NIBBLE_INLINE float inverse_or_zero(float x) { return std::fabs(x) > 1e-30f ? 1.0f / x : 0.0f; }

// The codes round(x * inverse + offset) in [low, high], each plus `bias`, of n (a multiple of 16)
// weights that lie side by side, as bytes.
template <class V>
NIBBLE_INLINE void round_codes(const float* x, int n, float inverse, float offset, float low,
                               float high, float bias, uint8_t* codes) {
  for (int i = 0; i < n; i += 16) {
    const auto scaled = V::fma(V::load(x + i), V::set1(inverse), V::set1(offset));
    const auto code = V::add(round_into<V>(scaled, low, high), V::set1(bias));
    V::store_i8(reinterpret_cast<int8_t*>(codes + i), code);
  }
}
NIBBLE_INLINE float round_code(float x, float inverse, float offset, float low, float high) {
  return round_into(std::fma(x, inverse, offset), low, high);
}

// The entry of a table of searches, one for each effort.
template <class Search>
NIBBLE_INLINE const Search& search_of(const Search (&searches)[3], Effort effort) {
  return searches[static_cast<int>(effort)];
}

// --- x ~ scale * code, codes in [low, high] ---

// The value of largest magnitude in each lane (the first one of equals).
template <class V, int n>
NIBBLE_INLINE typename V::F32 extremes(const Tile<V, n>& tile) {
  auto extreme = tile.x[0];
  for (int i = 1; i < n; ++i) {
    const auto is_larger = V::greater(V::abs(tile.x[i]), V::abs(extreme));
    extreme = V::select(is_larger, tile.x[i], extreme);
  }
  return extreme;
}

// The best scale for the codes of the best of the candidates so far, and xl^2 / ll of those codes:
// what they take off the error.
template <class V>
struct SymmetricFit {
  typename V::F32 scale;
  typename V::F32 gain;
};

// Lanes where the codes round(x * inverse) gain more take their scale.
template <class V, int n>
NIBBLE_INLINE void try_symmetric(const Tile<V, n>& tile, typename V::F32 inverse, float low,
                                 float high, SymmetricFit<V>& best) {
  auto xl = V::zero();
  auto ll = V::zero();
  for (int i = 0; i < n; ++i) {
    const auto code = round_product<V>(tile.x[i], inverse, low, high);
    const auto weighted = V::mul(tile.w[i], code);
    xl = V::fma(weighted, tile.x[i], xl);
    ll = V::fma(weighted, code, ll);
  }
  const auto scale = V::mul(xl, inverse_or_zero<V>(ll));
  const auto gain = V::mul(scale, xl);
  const auto is_better = V::greater(gain, best.gain);
  best.scale = V::select(is_better, scale, best.scale);
  best.gain = V::select(is_better, gain, best.gain);
}

// Candidates map the extreme value to `steps` places from `first` to `last` codes (negative: the
// low end), with both_ends also to as far past the high end, then `refinements` times round under
// the best scale found.
struct SymmetricSearch {
  float first;
  float last;
  int steps;
  int refinements;
  bool both_ends = false;
};

template <class V, int n>
NIBBLE_INLINE typename V::F32 fit_symmetric(const Tile<V, n>& tile, float low, float high,
                                            const SymmetricSearch& search) {
  const auto per_extreme = inverse_or_zero<V>(extremes<V, n>(tile));
  SymmetricFit<V> best = {V::zero(), V::zero()};
  const float step =
      search.steps > 1 ? (search.last - search.first) / static_cast<float>(search.steps - 1) : 0.0f;
  for (int k = 0; k < search.steps; ++k) {
    const float place = search.first + step * static_cast<float>(k);
    try_symmetric<V, n>(tile, V::mul(V::set1(place), per_extreme), low, high, best);
    if (!search.both_ends) continue;
    const float mirrored = high + low - place;
    try_symmetric<V, n>(tile, V::mul(V::set1(mirrored), per_extreme), low, high, best);
  }
  for (int k = 0; k < search.refinements; ++k) {
    try_symmetric<V, n>(tile, inverse_or_zero<V>(best.scale), low, high, best);
  }
  return best.scale;
}

// The error under given scales.
template <class V, int n>
NIBBLE_INLINE typename V::F32 symmetric_error(const Tile<V, n>& tile, typename V::F32 scale,
                                              float low, float high) {
  const auto inverse = inverse_or_zero<V>(scale);
  const auto minus_scale = V::sub(V::zero(), scale);
  auto error = V::zero();
  for (int i = 0; i < n; ++i) {
    const auto code = round_product<V>(tile.x[i], inverse, low, high);
    const auto off = V::fma(minus_scale, code, tile.x[i]);
    error = V::fma(V::mul(tile.w[i], off), off, error);
  }
  return error;
}

// sum w x l and sum w l l for the codes under given scales: what refits a common factor.
template <class V>
struct SymmetricSums {
  typename V::F32 xl;
  typename V::F32 ll;
};
template <class V, int n>
NIBBLE_INLINE SymmetricSums<V> symmetric_sums(const Tile<V, n>& tile, typename V::F32 scale,
                                              float low, float high) {
  const auto inverse = inverse_or_zero<V>(scale);
  SymmetricSums<V> sums = {V::zero(), V::zero()};
  for (int i = 0; i < n; ++i) {
    const auto code = round_product<V>(tile.x[i], inverse, low, high);
    const auto weighted = V::mul(tile.w[i], code);
    sums.xl = V::fma(weighted, tile.x[i], sums.xl);
    sums.ll = V::fma(weighted, code, sums.ll);
  }
  return sums;
}

// --- x ~ scale * code - minimum, codes in [0, top], scale >= 0 ---

enum class Minimum { kNotNegative, kAny };

template <class V>
struct AffineFit {
  typename V::F32 scale;
  typename V::F32 minimum;
  typename V::F32 gain;  // over leaving everything zero
};

// Sums that do not depend on codes.
template <class V>
struct AffineTotals {
  typename V::F32 w;
  typename V::F32 x;
};
template <class V, int n>
NIBBLE_INLINE AffineTotals<V> affine_totals(const Tile<V, n>& tile) {
  AffineTotals<V> totals = {V::zero(), V::zero()};
  for (int i = 0; i < n; ++i) {
    totals.w = V::add(totals.w, tile.w[i]);
    totals.x = V::fma(tile.w[i], tile.x[i], totals.x);
  }
  return totals;
}

// Lanes where the codes round(x * inverse + offset) gain more take the line through them.
template <class V, int n, Minimum kind>
NIBBLE_INLINE void try_affine(const Tile<V, n>& tile, const AffineTotals<V>& totals,
                              typename V::F32 inverse, typename V::F32 offset, float top,
                              AffineFit<V>& best) {
  auto l = V::zero();
  auto xl = V::zero();
  auto ll = V::zero();
  for (int i = 0; i < n; ++i) {
    const auto code = round_into<V>(V::fma(tile.x[i], inverse, offset), 0.0f, top);
    const auto weighted = V::mul(tile.w[i], code);
    l = V::add(l, weighted);
    xl = V::fma(weighted, tile.x[i], xl);
    ll = V::fma(weighted, code, ll);
  }
  // The normal equations of a line. Where all codes are about equal their determinant is nothing
  // but rounding noise: then, as where the minimum would be negative, the line goes through zero.
  const auto spread = V::mul(totals.w, ll);
  const auto determinant = V::sub(spread, V::mul(l, l));
  const auto is_line = V::greater(determinant, V::mul(V::set1(1e-5f), spread));
  auto scale = V::select(is_line, V::sub(V::mul(totals.w, xl), V::mul(totals.x, l)), xl);
  auto minimum = V::select(is_line, V::sub(V::mul(l, xl), V::mul(ll, totals.x)), V::zero());
  auto divisor = V::select(is_line, determinant, ll);
  if constexpr (kind == Minimum::kNotNegative) {
    const auto is_positive = V::greater(minimum, V::zero());
    divisor = V::select(is_positive, divisor, ll);
    scale = V::select(is_positive, scale, xl);
    minimum = V::select(is_positive, minimum, V::zero());
  }
  const auto quotient = inverse_or_zero<V>(divisor);
  scale = V::mul(scale, quotient);
  minimum = V::mul(minimum, quotient);
  scale = V::max(scale, V::zero());
  const auto gain = V::sub(V::mul(scale, xl), V::mul(minimum, totals.x));
  const auto is_better = V::greater(gain, best.gain);
  best.scale = V::select(is_better, scale, best.scale);
  best.minimum = V::select(is_better, minimum, best.minimum);
  best.gain = V::select(is_better, gain, best.gain);
}

// Candidates spread the range of the weights over `first`..`last` codes in `steps` steps, for each
// of `shifts` places of the lowest weight (0, then alternately `shift` codes below and above), then
// `refinements` times round under the best line found.
struct AffineSearch {
  float first;
  float last;
  int steps;
  int refinements;
  int shifts = 1;
  float shift = 0.0f;
};

template <class V, int n, Minimum kind = Minimum::kNotNegative>
NIBBLE_INLINE AffineFit<V> fit_affine(const Tile<V, n>& tile, float top,
                                      const AffineSearch& search) {
  auto low = tile.x[0];
  auto high = tile.x[0];
  for (int i = 1; i < n; ++i) {
    low = V::min(tile.x[i], low);
    high = V::max(tile.x[i], high);
  }
  if constexpr (kind == Minimum::kNotNegative) low = V::min(low, V::zero());
  const auto totals = affine_totals<V, n>(tile);
  const auto per_range = inverse_or_zero<V>(V::sub(high, low));
  // where all weights are equal, the minimum alone holds them
  auto level = V::sub(V::zero(), V::mul(totals.x, inverse_or_zero<V>(totals.w)));
  if constexpr (kind == Minimum::kNotNegative) level = V::max(level, V::zero());
  AffineFit<V> best = {V::zero(), level, V::sub(V::zero(), V::mul(level, totals.x))};
  const float step =
      search.steps > 1 ? (search.last - search.first) / static_cast<float>(search.steps - 1) : 0.0f;
  for (int s = 0; s < search.shifts; ++s) {
    const float places = search.shift * static_cast<float>((s + 1) / 2);
    const float shift = s % 2 == 1 ? -places : places;
    for (int k = 0; k < search.steps; ++k) {
      const auto spread = V::set1(search.first + step * static_cast<float>(k));
      const auto inverse = V::mul(spread, per_range);
      const auto offset = V::sub(V::set1(shift), V::mul(low, inverse));
      try_affine<V, n, kind>(tile, totals, inverse, offset, top, best);
    }
  }
  for (int k = 0; k < search.refinements; ++k) {
    const auto inverse = inverse_or_zero<V>(best.scale);
    try_affine<V, n, kind>(tile, totals, inverse, V::mul(best.minimum, inverse), top, best);
  }
  return best;
}

// The error under given lines; inverse is 1 / scale (0 for 0).
template <class V, int n>
NIBBLE_INLINE typename V::F32 affine_error(const Tile<V, n>& tile, typename V::F32 scale,
                                           typename V::F32 inverse, typename V::F32 minimum,
                                           float top) {
  const auto offset = V::mul(minimum, inverse);
  const auto minus_scale = V::sub(V::zero(), scale);
  auto error = V::zero();
  for (int i = 0; i < n; ++i) {
    const auto code = round_into<V>(V::fma(tile.x[i], inverse, offset), 0.0f, top);
    const auto off = V::fma(minus_scale, code, V::add(tile.x[i], minimum));
    error = V::fma(V::mul(tile.w[i], off), off, error);
  }
  return error;
}

}  // namespace nibble
