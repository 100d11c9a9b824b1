// Searches that several formats share: the scale (and minimum) under which rounding a run of
// weights to small integers loses least, as the weighted sum of squared errors. Weights w come from
// a column importance, or are 1.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/attributes.h"

namespace nibble {

// `vectors` vectors of 16 weights each and their importance, in registers.
template <class V, int vectors>
struct Run {
  typename V::F32 x[vectors];
  typename V::F32 w[vectors];
};

template <class V, int vectors>
NIBBLE_INLINE Run<V, vectors> load_run(const float* x, const float* importance) {
  Run<V, vectors> run;
  for (int i = 0; i < vectors; ++i) {
    run.x[i] = V::load(x + 16 * i);
    run.w[i] = importance == nullptr ? V::set1(1.0f) : V::load(importance + 16 * i);
  }
  return run;
}

// The value of largest magnitude (the first one of equals).
template <int count>
NIBBLE_INLINE float extreme_of(const float* x) {
  float extreme = 0.0f;
  for (int i = 0; i < count; ++i) {
    if (std::fabs(x[i]) > std::fabs(extreme)) extreme = x[i];
  }
  return extreme;
}

template <class V>
NIBBLE_INLINE typename V::F32 round_into(typename V::F32 x, float low, float high) {
  return V::min(V::max(V::round(x), V::set1(low)), V::set1(high));
}

NIBBLE_INLINE float round_into(float x, float low, float high) {
  const float rounded = std::nearbyint(x);
  return rounded < low ? low : rounded > high ? high : rounded;
}

// Weighted sums for codes l = round(x * inverse): sum w x l and sum w l l.
struct SymmetricSums {
  float xl;
  float ll;
};

template <class V, int vectors>
NIBBLE_INLINE SymmetricSums symmetric_sums(const Run<V, vectors>& run, float inverse, float low,
                                           float high) {
  auto xl = V::zero();
  auto ll = V::zero();
  for (int i = 0; i < vectors; ++i) {
    const auto code = round_into<V>(V::mul(run.x[i], V::set1(inverse)), low, high);
    const auto weighted = V::mul(run.w[i], code);
    xl = V::fma(weighted, run.x[i], xl);
    ll = V::fma(weighted, code, ll);
  }
  return {V::sum(xl), V::sum(ll)};
}

// The scale d for codes in [-n, n - 1], x ~ d * code. Candidates put the extreme value near either
// end of the range; for codes fixed, the best scale is xl / ll and the error sum w x x - xl^2 / ll.
template <class V, int vectors, int n>
NIBBLE_INLINE float fit_symmetric(const float* x, const float* importance) {
  constexpr int kSteps = 9;
  constexpr float kStep = 0.1f;
  const float extreme = extreme_of<16 * vectors>(x);
  if (!(std::fabs(extreme) > 1e-30f)) return 0.0f;
  const auto run = load_run<V, vectors>(x, importance);
  constexpr float kLow = -n;
  constexpr float kHigh = n - 1;
  float best_scale = extreme / kLow;
  SymmetricSums best = symmetric_sums<V, vectors>(run, kLow / extreme, kLow, kHigh);
  if (best.ll > 0) best_scale = best.xl / best.ll;
  const auto consider = [&](float inverse) __attribute__((always_inline)) {
    const SymmetricSums sums = symmetric_sums<V, vectors>(run, inverse, kLow, kHigh);
    // xl^2 / ll is the gain; cross-multiplied, since ll > 0
    if (sums.ll > 0 && sums.xl * sums.xl * best.ll > best.xl * best.xl * sums.ll) {
      best = sums;
      best_scale = sums.xl / sums.ll;
    }
  };
  for (int step = -kSteps; step <= kSteps; ++step) {
    consider((kLow - kStep * static_cast<float>(step)) / extreme);
    consider((kHigh + kStep * static_cast<float>(step)) / extreme);
  }
  for (int pass = 0; pass < 2; ++pass) {
    if (best_scale != 0.0f) consider(1.0f / best_scale);
  }
  return best_scale;
}

// The weighted error of x ~ scale * code for the best codes in [low, high] under that scale.
template <class V, int vectors>
NIBBLE_INLINE float symmetric_error(const Run<V, vectors>& run, float scale, float low,
                                    float high) {
  const auto inverse = V::set1(scale != 0.0f ? 1.0f / scale : 0.0f);
  auto error = V::zero();
  for (int i = 0; i < vectors; ++i) {
    const auto code = round_into<V>(V::mul(run.x[i], inverse), low, high);
    const auto off = V::sub(run.x[i], V::mul(V::set1(scale), code));
    error = V::fma(V::mul(run.w[i], off), off, error);
  }
  return V::sum(error);
}

// x ~ scale * code - minimum, codes in [0, n], scale >= 0, minimum >= 0 unless the format stores
// its sign.
enum class AnyMinimum { kNo, kYes };
struct Affine {
  float scale;
  float minimum;
};

template <class V, int vectors>
NIBBLE_INLINE float affine_error(const Run<V, vectors>& run, Affine fit, float n) {
  const auto inverse = V::set1(fit.scale > 0.0f ? 1.0f / fit.scale : 0.0f);
  const auto minimum = V::set1(fit.minimum);
  auto error = V::zero();
  for (int i = 0; i < vectors; ++i) {
    const auto code = round_into<V>(V::mul(V::add(run.x[i], minimum), inverse), 0.0f, n);
    const auto value = V::sub(V::mul(V::set1(fit.scale), code), minimum);
    const auto off = V::sub(run.x[i], value);
    error = V::fma(V::mul(run.w[i], off), off, error);
  }
  return V::sum(error);
}

struct AffineSums {
  float w, x, l, xl, ll;  // sums of w, w x, w l, w x l, w l l
};

// The best scale and minimum for the codes that `inverse` and `low` give: the normal equations of a
// line.
template <AnyMinimum any_minimum>
NIBBLE_INLINE Affine solve_affine(const AffineSums& s) {
  constexpr bool kAny = any_minimum == AnyMinimum::kYes;
  const float determinant = s.w * s.ll - s.l * s.l;
  if (!(determinant > 0.0f)) return {0.0f, s.w > 0.0f && (kAny || s.x < 0.0f) ? -s.x / s.w : 0.0f};
  const float scale = (s.w * s.xl - s.x * s.l) / determinant;
  const float minimum = (s.l * s.xl - s.ll * s.x) / determinant;
  if (kAny || minimum >= 0.0f) return {scale > 0.0f ? scale : 0.0f, minimum};
  return {s.ll > 0.0f && s.xl > 0.0f ? s.xl / s.ll : 0.0f, 0.0f};
}

template <class V, int vectors>
NIBBLE_INLINE AffineSums affine_sums(const Run<V, vectors>& run, float inverse, float low,
                                     float n) {
  auto sum_w = V::zero(), sum_x = V::zero(), sum_l = V::zero(), sum_xl = V::zero(),
       sum_ll = V::zero();
  for (int i = 0; i < vectors; ++i) {
    const auto code =
        round_into<V>(V::mul(V::sub(run.x[i], V::set1(low)), V::set1(inverse)), 0.0f, n);
    const auto weighted = V::mul(run.w[i], code);
    sum_w = V::add(sum_w, run.w[i]);
    sum_x = V::fma(run.w[i], run.x[i], sum_x);
    sum_l = V::add(sum_l, weighted);
    sum_xl = V::fma(weighted, run.x[i], sum_xl);
    sum_ll = V::fma(weighted, code, sum_ll);
  }
  return {V::sum(sum_w), V::sum(sum_x), V::sum(sum_l), V::sum(sum_xl), V::sum(sum_ll)};
}

template <class V, int vectors, int n, AnyMinimum any_minimum = AnyMinimum::kNo>
NIBBLE_INLINE Affine fit_affine(const float* x, const float* importance) {
  constexpr int kSteps = 10;
  constexpr float kStep = 0.1f;
  float low = x[0];
  float high = x[0];
  for (int i = 1; i < 16 * vectors; ++i) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  if (any_minimum == AnyMinimum::kNo && low > 0.0f) low = 0.0f;
  if (!(high - low > 1e-30f)) return {0.0f, -low};
  const auto run = load_run<V, vectors>(x, importance);
  Affine best = {(high - low) / n, -low};
  float best_error = affine_error<V, vectors>(run, best, n);
  for (int step = -kSteps; step <= kSteps; ++step) {
    const float inverse = (n + kStep * static_cast<float>(step)) / (high - low);
    const Affine fit = solve_affine<any_minimum>(affine_sums<V, vectors>(run, inverse, low, n));
    const float error = affine_error<V, vectors>(run, fit, n);
    if (error < best_error) {
      best_error = error;
      best = fit;
    }
  }
  return best;
}

}  // namespace nibble
