// Operations on single rows, over V: activation quantization, norm, activation function, sums.
#pragma once

#include <cmath>

#include "base/numeric.h"
#include "codec/format.h"
#include "kernel/operations.h"
#include "simd/math.h"

namespace nibble {

template <class V>
NIBBLE_INLINE typename V::F32 load_rest(const float* x, int64_t rest) {
  return rest >= 16 ? V::load(x) : V::load_first(x, static_cast<int>(rest > 0 ? rest : 0));
}

// 32 activations, of which `rest` exist.
template <class V>
NIBBLE_INLINE void quantize32(const float* x, int64_t rest, int8_t* q, float* d, float* s) {
  const auto low = load_rest<V>(x, rest);
  const auto high = load_rest<V>(x + (rest > 16 ? 16 : 0), rest - 16);
  const float largest = V::largest(V::max(V::abs(low), V::abs(high)));
  const float scale = largest / 127.0f;
  const auto inverse = V::set1(largest > 0.0f ? 127.0f / largest : 0.0f);
  const auto q_low = V::round(V::mul(low, inverse));
  const auto q_high = V::round(V::mul(high, inverse));
  V::store_i8(q, q_low);
  V::store_i8(q + 16, q_high);
  *d = scale;
  s[0] = scale * V::sum(q_low);  // the sum is exact: integers
  s[1] = scale * V::sum(q_high);
}

template <class V>
void quantize(const float* x, int64_t n, int8_t* q, float* d, float* s) noexcept {
  const int64_t padded = (n + kChunk - 1) / kChunk * kChunk;
  for (int64_t i = 0; i < padded; i += 32) {
    quantize32<V>(i < n ? x + i : x, n - i, q + i, d + i / 32, s + i / 16);
  }
}

template <class V>
void rms_norm(const float* x, const float* weight, float epsilon, int64_t n, float* y) noexcept {
  auto squares = V::zero();
  for (int64_t i = 0; i < n; i += 16) {
    const auto v = load_rest<V>(x + i, n - i);
    squares = V::fma(v, v, squares);
  }
  const float scale = 1.0f / std::sqrt(V::sum(squares) / static_cast<float>(n) + epsilon);
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] * scale * weight[i];
}

template <class V>
void silu_multiply(float* gate, const float* up, int64_t n) noexcept {
  const auto one = V::set1(1.0f);
  const auto silu_times = [&](typename V::F32 g, typename V::F32 u) __attribute__((always_inline)) {
    const auto e = exp<V>(V::sub(V::zero(), g));
    return V::mul(V::div(g, V::add(one, e)), u);
  };
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) V::store(gate + i, silu_times(V::load(gate + i), V::load(up + i)));
  if (i < n) {
    float rest[16];
    V::store(rest, silu_times(load_rest<V>(gate + i, n - i), load_rest<V>(up + i, n - i)));
    for (int k = 0; i < n; ++i, ++k) gate[i] = rest[k];
  }
}

template <class V>
void add(float* x, const float* y, int64_t n) noexcept {
  for (int64_t i = 0; i < n; ++i) x[i] += y[i];
}

// The largest of n floats.
template <class V>
NIBBLE_INLINE float largest_of(const float* x, int64_t n) {
  auto largest = V::set1(x[0]);
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) largest = V::max(largest, V::load(x + i));
  float result = V::largest(largest);
  for (; i < n; ++i) result = x[i] > result ? x[i] : result;
  return result;
}

// The sum of e^(x - shift) over n floats; kStore also leaves the terms in x, zero-padded to a
// multiple of 16.
template <class V, bool kStore, class Float>
NIBBLE_INLINE float sum_of_exp(Float* x, int64_t n, float shift) {
  auto sum = V::zero();
  for (int64_t i = 0; i < n; i += 16) {
    auto terms = exp<V>(V::sub(load_rest<V>(x + i, n - i), V::set1(shift)));
    if (n - i < 16) {
      float padded[16];
      V::store(padded, terms);
      terms = V::load_first(padded, static_cast<int>(n - i));
    }
    if constexpr (kStore) V::store(x + i, terms);
    sum = V::add(sum, terms);
  }
  return V::sum(sum);
}

template <class V>
float largest(const float* x, int64_t n) noexcept {
  return largest_of<V>(x, n);
}

// Floats that are summed up in float lanes before the sum goes on in double: a lane gets 64 of
// them, few enough that small terms are not lost beside a large one.
inline constexpr int64_t kSumPiece = 1024;

template <class V>
double sum_exp(const float* x, int64_t n, float shift) noexcept {
  double sum = 0;
  for (int64_t i = 0; i < n; i += kSumPiece) {
    const int64_t count = n - i < kSumPiece ? n - i : kSumPiece;
    sum += static_cast<double>(sum_of_exp<V, false>(x + i, count, shift));
  }
  return sum;
}

// The lanes with i < count, 0 in the others.
template <class V>
NIBBLE_INLINE typename V::F32 first_lanes(typename V::F32 x, int64_t count) {
  if (count >= 16) return x;
  float lanes[16];
  V::store(lanes, x);
  return V::load_first(lanes, static_cast<int>(count));
}

template <class V>
DivergenceSums divergence(const float* p, const float* q, int64_t n, float p_shift,
                          float q_shift) noexcept {
  DivergenceSums sums{};
  for (int64_t piece = 0; piece < n; piece += kSumPiece) {
    const int64_t end = n - piece < kSumPiece ? n : piece + kSumPiece;
    auto p_sum = V::zero(), q_sum = V::zero(), difference = V::zero();
    for (int64_t i = piece; i < end; i += 16) {
      const auto a = V::sub(load_rest<V>(p + i, end - i), V::set1(p_shift));
      const auto b = V::sub(load_rest<V>(q + i, end - i), V::set1(q_shift));
      const auto p_term = first_lanes<V>(exp<V>(a), end - i);
      p_sum = V::add(p_sum, p_term);
      q_sum = V::add(q_sum, first_lanes<V>(exp<V>(b), end - i));
      difference = V::fma(p_term, V::sub(a, b), difference);
    }
    sums.p += static_cast<double>(V::sum(p_sum));
    sums.q += static_cast<double>(V::sum(q_sum));
    sums.difference += static_cast<double>(V::sum(difference));
  }
  return sums;
}

template <class V>
float log_sum_exp(const float* x, int64_t n) noexcept {
  const float largest = largest_of<V>(x, n);
  return largest + std::log(sum_of_exp<V, false>(x, n, largest));
}

}  // namespace nibble
