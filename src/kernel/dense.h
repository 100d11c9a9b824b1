// Products of dense matrices of floats or doubles: what second moments, their factors and error
// feedback are made of. Over V, or over the compiler's own vectors where numbers are doubles; sums
// have one order everywhere, and products of doubles are rounded before they are added.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/attributes.h"

namespace nibble {

// Sixteen numbers.
template <class V>
struct FloatLane {
  using Number = float;
  using Lane = typename V::F32;
  static NIBBLE_INLINE Lane load(const float* p) { return V::load(p); }
  static NIBBLE_INLINE void store(float* p, Lane a) { V::store(p, a); }
  static NIBBLE_INLINE void add_product(float a, const Lane& b, Lane& sum) {
    sum = V::fma(V::set1(a), b, sum);
  }
};

// The same for every V, but compiled with its instructions.
template <class V>
struct DoubleLane {
  using Number = double;
  typedef double Eight __attribute__((vector_size(64), aligned(8)));
  struct Lane {
    Eight low, high;
  };
  static NIBBLE_INLINE Lane load(const double* p) {
    Lane a;
    std::memcpy(&a.low, p, sizeof a.low);
    std::memcpy(&a.high, p + 8, sizeof a.high);
    return a;
  }
  static NIBBLE_INLINE void store(double* p, const Lane& a) {
    std::memcpy(p, &a.low, sizeof a.low);
    std::memcpy(p + 8, &a.high, sizeof a.high);
  }
  static NIBBLE_INLINE void add_product(double a, const Lane& b, Lane& sum) {
    sum.low += a * b.low;
    sum.high += a * b.high;
  }
};

// Operations::add_products of `rows` rows of c and 16 columns; b[j] is at b + 16 * j.
template <class L, int rows>
NIBBLE_INLINE void add_strip(const typename L::Number* a, int64_t a_row,
                             const typename L::Number* b, int64_t depth, typename L::Number* c,
                             int64_t c_row) {
  typename L::Lane sum[rows];
  for (int r = 0; r < rows; ++r) sum[r] = L::load(c + r * c_row);
  for (int64_t j = 0; j < depth; ++j) {
    const auto line = L::load(b + 16 * j);
    for (int r = 0; r < rows; ++r) L::add_product(a[j * a_row + r], line, sum[r]);
  }
  for (int r = 0; r < rows; ++r) L::store(c + r * c_row, sum[r]);
}

template <class L>
void add_products(const typename L::Number* a, int64_t a_row, const typename L::Number* b,
                  int64_t b_row, int64_t depth, typename L::Number* c, int64_t c_row, int64_t rows,
                  int64_t columns) noexcept {
  constexpr int kRows = 8;
  constexpr int64_t kDepth = 256;
  // Rows of b are often a power of two apart, so that a strip of them would share few cache lines.
  typename L::Number strip[kDepth * 16];
  for (int64_t from = 0; from < depth; from += kDepth, a += kDepth * a_row, b += kDepth * b_row) {
    const int64_t count = depth - from < kDepth ? depth - from : kDepth;
    for (int64_t k = 0; k < columns; k += 16) {
      for (int64_t j = 0; j < count; ++j) L::store(strip + 16 * j, L::load(b + j * b_row + k));
      int64_t i = 0;
      for (; i + kRows <= rows; i += kRows)
        add_strip<L, kRows>(a + i, a_row, strip, count, c + i * c_row + k, c_row);
      for (; i < rows; ++i) add_strip<L, 1>(a + i, a_row, strip, count, c + i * c_row + k, c_row);
    }
  }
}

}  // namespace nibble
