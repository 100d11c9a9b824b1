// The 16 values that iq4_nl and iq4_xs choose from, and the search for the scale under which the
// nearest of them lose least. The search runs in the 16 lanes of a Tile, as those of fit.h do.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>

#include "codec/fit.h"

namespace nibble {

struct Codebook16 {
  // llama.cpp's kvalues_iq4nl (ggml/src/ggml-common.h)
  static constexpr int8_t kValues[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                         1,    13,   25,  38,  53,  69,  89,  113};
  static constexpr float kLowest = -127.0f;
  static constexpr float kHighest = 113.0f;
  static NIBBLE_INLINE const uint8_t* bytes() { return reinterpret_cast<const uint8_t*>(kValues); }

  // Where the nearest value changes from kValues[k] to kValues[k + 1]; the last entry is not used.
  static constexpr float kMiddles[16] = {-115.5f, -93.5f, -74.0f, -57.0f, -42.0f, -28.5f,
                                         -16.0f,  -4.5f,  7.0f,   19.0f,  31.5f,  45.5f,
                                         61.0f,   79.0f,  101.0f, 113.0f};
  static constexpr float kBelow[16] = {-127.0f, -104.0f, -83.0f, -65.0f, -49.0f, -35.0f,
                                       -22.0f,  -10.0f,  1.0f,   13.0f,  25.0f,  38.0f,
                                       53.0f,   69.0f,   89.0f,  113.0f};
  static constexpr float kAbove[16] = {-104.0f, -83.0f, -65.0f, -49.0f, -35.0f, -22.0f,
                                       -10.0f,  1.0f,   13.0f,  25.0f,  38.0f,  53.0f,
                                       69.0f,   89.0f,  113.0f, 113.0f};

  template <class V>
  static NIBBLE_INLINE typename V::F32 clamp(typename V::F32 x) {
    return V::min(V::max(x, V::set1(kLowest)), V::set1(kHighest));
  }
  // Which of the middles is nearest in rank: a cubic through (kMiddles[k], k), at most 0.13 off
  // there, so that rounded it leaves one middle to compare with. Stays in [-0.2, 14.4].
  template <class V>
  static NIBBLE_INLINE typename V::F32 rank(typename V::F32 clamped) {
    auto rank = V::fma(clamped, V::set1(-1.49312748e-6f), V::set1(-1.20306654e-5f));
    rank = V::fma(clamped, rank, V::set1(8.17424109e-2f));
    return V::fma(clamped, rank, V::set1(7.40388770f));
  }
  // The nearest value to each lane.
  template <class V>
  static NIBBLE_INLINE typename V::F32 nearest(typename V::F32 x) {
    const auto clamped = clamp<V>(x);
    const auto k = V::to_i32(rank<V>(clamped));
    const auto is_above = V::greater(clamped, V::lookup(V::load(kMiddles), k));
    return V::select(is_above, V::lookup(V::load(kAbove), k), V::lookup(V::load(kBelow), k));
  }
  // Its place in the table.
  template <class V>
  static NIBBLE_INLINE typename V::F32 index(typename V::F32 x) {
    const auto clamped = clamp<V>(x);
    const auto k = V::round(rank<V>(clamped));
    const auto is_above = V::greater(clamped, V::lookup(V::load(kMiddles), V::to_i32(k)));
    return V::select(is_above, V::add(k, V::set1(1.0f)), k);
  }
  static NIBBLE_INLINE float nearest(float x) {
    int k = 0;
    while (k < 15 && x > kMiddles[k]) ++k;
    return kBelow[k];
  }

  // The places in the table of 32 weights, two in a byte: weight i in the low half of byte i,
  // weight 16 + i in its high half.
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, float inverse, uint8_t* q) {
    const auto low = index<V>(V::mul(V::load(x), V::set1(inverse)));
    const auto high = index<V>(V::mul(V::load(x + 16), V::set1(inverse)));
    V::store_u8(q, V::fma(high, V::set1(16.0f), low));
  }
  // The other way.
  static NIBBLE_INLINE void unpack(const uint8_t* q, float scale, float* y) {
    for (int i = 0; i < 16; ++i) {
      y[i] = scale * static_cast<float>(kValues[q[i] & 15]);
      y[i + 16] = scale * static_cast<float>(kValues[q[i] >> 4]);
    }
  }
};

// sum w x v and sum w v v for the nearest values v under given scales (by their inverses).
template <class V, int n>
NIBBLE_INLINE SymmetricSums<V> codebook_sums(const Tile<V, n>& tile, typename V::F32 inverse) {
  SymmetricSums<V> sums = {V::zero(), V::zero()};
  for (int i = 0; i < n; ++i) {
    const auto value = Codebook16::nearest<V>(V::mul(tile.x[i], inverse));
    const auto weighted = V::mul(tile.w[i], value);
    sums.xl = V::fma(weighted, tile.x[i], sums.xl);
    sums.ll = V::fma(weighted, value, sums.ll);
  }
  return sums;
}

// Lanes where the values nearest under `inverse` gain more take their best scale.
template <class V, int n>
NIBBLE_INLINE void try_codebook(const Tile<V, n>& tile, typename V::F32 inverse,
                                SymmetricFit<V>& best) {
  const auto sums = codebook_sums<V, n>(tile, inverse);
  const auto scale = V::mul(sums.xl, inverse_or_zero<V>(sums.ll));
  const auto gain = V::mul(scale, sums.xl);
  const auto is_better = V::greater(gain, best.gain);
  best.scale = V::select(is_better, scale, best.scale);
  best.gain = V::select(is_better, gain, best.gain);
}

// Candidates map the value of largest magnitude to `steps` places from `first` to `last` times the
// lowest value of the table, and as many to the highest, then `refinements` times the nearest
// values under the best scale found.
struct CodebookSearch {
  float first;
  float last;
  int steps;
  int refinements;
};

template <class V, int n>
NIBBLE_INLINE SymmetricFit<V> fit_codebook(const Tile<V, n>& tile, const CodebookSearch& search) {
  const auto per_extreme = inverse_or_zero<V>(extremes<V, n>(tile));
  SymmetricFit<V> best = {V::zero(), V::zero()};
  const float step =
      search.steps > 1 ? (search.last - search.first) / static_cast<float>(search.steps - 1) : 0.0f;
  for (int k = 0; k < search.steps; ++k) {
    const float place = search.first + step * static_cast<float>(k);
    for (const float end : {Codebook16::kLowest, Codebook16::kHighest}) {
      try_codebook<V, n>(tile, V::mul(V::set1(place * end), per_extreme), best);
    }
  }
  for (int k = 0; k < search.refinements; ++k) {
    try_codebook<V, n>(tile, inverse_or_zero<V>(best.scale), best);
  }
  return best;
}

}  // namespace nibble
