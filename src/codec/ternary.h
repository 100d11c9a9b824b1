// What tq1_0 and tq2_0 share: 256 weights -d, 0 or d under one f16 d, and the search for it. Their
// Params.
#pragma once

#include "base/numeric.h"
#include "codec/fit.h"

namespace nibble {

// Candidates leave zero what is below `first`..`last` times the mean magnitude, in `steps` steps,
// and what is below 1/2, 1/4 .. of the largest, `halvings` of them (where few weights stick out),
// then `refinements` times what is nearer to 0 than to the best d found.
struct TernarySearch {
  float first;
  float last;
  int steps;
  int halvings;
  int refinements;
};

struct Ternary {
  static constexpr int kWeights = 256;
  static constexpr int kVectors = kWeights / 16;
  uint16_t d;
  float inverse;

  // --- fit: a block fills the lanes alone. Weights that are ternary come back exactly: every
  // threshold below their d finds it ---
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance,
                                const TernarySearch& search, Ternary* fitted) {
    const Sums<V> sums = load<V>(x, importance);
    auto w = V::zero();
    auto wx = V::zero();
    auto largest = V::zero();
    for (int i = 0; i < kVectors; ++i) {
      w = V::add(w, sums.w[i]);
      wx = V::add(wx, sums.wx[i]);
      largest = V::max(sums.magnitude[i], largest);
    }
    const float mean = V::sum(wx) * inverse_or_zero(V::sum(w));
    Best best = {0.0f, 0.0f};
    const float step = (search.last - search.first) / static_cast<float>(search.steps - 1);
    for (int k = 0; k < search.steps; ++k) {
      try_threshold<V>(sums, mean * (search.first + step * static_cast<float>(k)), best);
    }
    float part = 0.5f * V::largest(largest);
    for (int k = 0; k < search.halvings; ++k, part *= 0.5f) try_threshold<V>(sums, part, best);
    for (int k = 0; k < search.refinements; ++k) try_threshold<V>(sums, 0.5f * best.d, best);
    fitted->d = f16_from_f32(best.d);
    fitted->inverse = inverse_or_zero(f32_from_f16(fitted->d));
  }

  // --- pack: 0, 1 or 2 for each weight ---
  template <class V>
  NIBBLE_INLINE void codes(const float* x, uint8_t* q) const {
    round_codes<V>(x, kWeights, inverse, 0.0f, -1.0f, 1.0f, 1.0f, q);
  }

  // --- snap ---
  NIBBLE_INLINE float snap(float x) const {
    return round_code(x, inverse, 0.0f, -1.0f, 1.0f) * f32_from_f16(d);
  }

 private:
  struct Best {
    float d;
    float gain;  // what it takes off the error
  };
  template <class V>
  struct Sums {
    typename V::F32 magnitude[kVectors];
    typename V::F32 w[kVectors];
    typename V::F32 wx[kVectors];
  };

  // A block whose importance is zero throughout counts as one of equal importance.
  template <class V>
  static NIBBLE_INLINE Sums<V> load(const float* x, const float* importance) {
    Sums<V> sums;
    auto total = V::zero();
    for (int i = 0; i < kVectors; ++i) {
      sums.magnitude[i] = V::abs(V::load(x + 16 * i));
      sums.w[i] = importance == nullptr ? V::set1(1.0f) : V::load(importance + 16 * i);
      total = V::add(total, sums.w[i]);
    }
    const bool is_used = V::sum(total) > 0.0f;
    for (int i = 0; i < kVectors; ++i) {
      if (!is_used) sums.w[i] = V::set1(1.0f);
      sums.wx[i] = V::mul(sums.w[i], sums.magnitude[i]);
    }
    return sums;
  }

  // Takes the best d for the weights above `threshold` if it gains more.
  template <class V>
  static NIBBLE_INLINE void try_threshold(const Sums<V>& sums, float threshold, Best& best) {
    auto w = V::zero();
    auto wx = V::zero();
    for (int i = 0; i < kVectors; ++i) {
      const auto is_above = V::greater(sums.magnitude[i], V::set1(threshold));
      w = V::add(w, V::select(is_above, sums.w[i], V::zero()));
      wx = V::add(wx, V::select(is_above, sums.wx[i], V::zero()));
    }
    const float total = V::sum(wx);
    const float d = total * inverse_or_zero(V::sum(w));
    if (d * total > best.gain) best = {d, d * total};
  }
};

}  // namespace nibble
