// Tile: 16 sub-blocks side by side. Searches for scales run in all lanes of a vector at once, a
// lane a sub-block, so that no sum ever crosses lanes.
#pragma once

#include <cstdint>

#include "base/attributes.h"

namespace nibble {

// Lane k of x[i] is weight i of sub-block k, w[i] its importance. Lanes without a sub-block are 0.
template <class V, int n>
struct Tile {
  static_assert(n % 16 == 0);
  typename V::F32 x[n];
  typename V::F32 w[n];
};

// Sub-blocks of n weights at p + n * k, k < count, transposed.
template <class V, int n>
NIBBLE_INLINE void load_transposed(const float* p, int count, typename V::F32* out) {
  for (int part = 0; part < n; part += 16) {
    for (int k = 0; k < 16; ++k) {
      out[part + k] = k < count ? V::load(p + n * k + part) : V::zero();
    }
    V::transpose(out + part);
  }
}

// A sub-block whose importance is zero throughout counts as one of equal importance.
template <class V, int n>
NIBBLE_INLINE void load_tile(const float* x, const float* importance, int count, Tile<V, n>& tile) {
  load_transposed<V, n>(x, count, tile.x);
  if (importance == nullptr) {
    for (int i = 0; i < n; ++i) tile.w[i] = V::set1(1.0f);
    return;
  }
  load_transposed<V, n>(importance, count, tile.w);
  auto sum = V::zero();
  for (int i = 0; i < n; ++i) sum = V::add(sum, tile.w[i]);
  const auto is_used = V::greater(sum, V::zero());
  for (int i = 0; i < n; ++i) tile.w[i] = V::select(is_used, tile.w[i], V::set1(1.0f));
}

// Some lanes' numbers where plain code can look at them.
template <class V>
struct Lanes {
  float v[16];
  Lanes() = default;
  explicit NIBBLE_INLINE Lanes(typename V::F32 a) { V::store(v, a); }
  NIBBLE_INLINE typename V::F32 load() const { return V::load(v); }
  NIBBLE_INLINE float& operator[](int k) { return v[k]; }
  NIBBLE_INLINE float operator[](int k) const { return v[k]; }
};

// Lanes that follow each other, `count` at a time, are the sub-blocks of a block: all of them get
// what `make` makes of their numbers.
template <class V, int count, class Make>
NIBBLE_INLINE typename V::F32 each_block(typename V::F32 a, Make make) {
  Lanes<V> lanes(a);
  for (int begin = 0; begin < 16; begin += count) {
    const float made = make(lanes.v + begin);
    for (int k = begin; k < begin + count; ++k) lanes[k] = made;
  }
  return lanes.load();
}

// Their sum, in their order.
template <class V, int count>
NIBBLE_INLINE typename V::F32 block_sums(typename V::F32 a) {
  return each_block<V, count>(a, [](const float* lane) {
    float sum = 0.0f;
    for (int k = 0; k < count; ++k) sum += lane[k];
    return sum;
  });
}

// The largest of them and 0.
template <class V, int count>
NIBBLE_INLINE typename V::F32 block_maxima(typename V::F32 a) {
  return each_block<V, count>(a, [](const float* lane) {
    float largest = 0.0f;
    for (int k = 0; k < count; ++k) largest = lane[k] > largest ? lane[k] : largest;
    return largest;
  });
}

}  // namespace nibble
