// Layer norm and nonlinearities of rows, over V.
#pragma once

#include <cmath>

#include "kernel/nonlinearity.h"
#include "kernel/row_operations.h"
#include "simd/math.h"

namespace nibble {

template <class V>
void layer_norm(const float* x, const float* weight, const float* bias, float epsilon, int64_t n,
                float* y) noexcept {
  auto sums = V::zero();
  for (int64_t i = 0; i < n; i += 16) sums = V::add(sums, load_rest<V>(x + i, n - i));
  const float mean = V::sum(sums) / static_cast<float>(n);
  auto squares = V::zero();
  for (int64_t i = 0; i < n; i += 16) {
    const auto v = first_lanes<V>(V::sub(load_rest<V>(x + i, n - i), V::set1(mean)), n - i);
    squares = V::fma(v, v, squares);
  }
  const float scale = 1.0f / std::sqrt(V::sum(squares) / static_cast<float>(n) + epsilon);
  for (int64_t i = 0; i < n; ++i) {
    float normal = (x[i] - mean) * scale;
    if (weight != nullptr) normal = normal * weight[i];
    if (bias != nullptr) normal = normal + bias[i];
    y[i] = normal;
  }
}

template <class V>
NIBBLE_INLINE typename V::F32 sigmoid_times(typename V::F32 x, typename V::F32 exponent) {
  return V::div(x, V::add(V::set1(1.0f), exp<V>(V::sub(V::zero(), exponent))));
}

// f(x), and what is gated as it is then multiplied.
template <class V, Nonlinearity f>
NIBBLE_INLINE typename V::F32 nonlinear(typename V::F32 x) {
  if constexpr (f == Nonlinearity::kSilu) return sigmoid_times<V>(x, x);
  if constexpr (f == Nonlinearity::kGelu) {
    const auto half = V::mul(x, V::set1(0.5f));
    return V::fma(half, erf<V>(V::mul(x, V::set1(0.70710678118654752f))), half);
  }
  if constexpr (f == Nonlinearity::kGeluTanh) {
    // (1 + tanh(u)) / 2 = 1 / (1 + e^-2u)
    const auto cubic = V::fma(V::mul(V::set1(0.044715f), V::mul(x, x)), x, x);
    return sigmoid_times<V>(x, V::mul(V::set1(1.5957691216057308f), cubic));
  }
  if constexpr (f == Nonlinearity::kRelu) return V::max(x, V::zero());
  if constexpr (f == Nonlinearity::kReluSquared) {
    const auto positive = V::max(x, V::zero());
    return V::mul(positive, positive);
  }
  if constexpr (f == Nonlinearity::kClampedSwiglu) {
    const auto clamped = V::min(x, V::set1(7.0f));
    return sigmoid_times<V>(clamped, V::mul(V::set1(1.702f), clamped));
  }
}

template <class V, Nonlinearity f>
NIBBLE_INLINE typename V::F32 gated(typename V::F32 x) {
  if constexpr (f != Nonlinearity::kClampedSwiglu) return x;
  const auto clamped = V::max(V::min(x, V::set1(7.0f)), V::set1(-7.0f));
  return V::add(clamped, V::set1(1.0f));
}

template <class V, Nonlinearity f>
NIBBLE_INLINE void apply_to(float* x, const float* up, int64_t n) {
  for (int64_t i = 0; i < n; i += 16) {
    auto y = nonlinear<V, f>(load_rest<V>(x + i, n - i));
    if (up != nullptr) y = V::mul(y, gated<V, f>(load_rest<V>(up + i, n - i)));
    if (n - i >= 16) {
      V::store(x + i, y);
    } else {
      alignas(64) float rest[16];
      V::store(rest, y);
      for (int64_t k = i; k < n; ++k) x[k] = rest[k - i];
    }
  }
}

template <class V>
void apply(Nonlinearity f, float* x, const float* up, int64_t n) noexcept {
  switch (f) {
    case Nonlinearity::kSilu:
      return apply_to<V, Nonlinearity::kSilu>(x, up, n);
    case Nonlinearity::kGelu:
      return apply_to<V, Nonlinearity::kGelu>(x, up, n);
    case Nonlinearity::kGeluTanh:
      return apply_to<V, Nonlinearity::kGeluTanh>(x, up, n);
    case Nonlinearity::kRelu:
      return apply_to<V, Nonlinearity::kRelu>(x, up, n);
    case Nonlinearity::kReluSquared:
      return apply_to<V, Nonlinearity::kReluSquared>(x, up, n);
    case Nonlinearity::kClampedSwiglu:
      return apply_to<V, Nonlinearity::kClampedSwiglu>(x, up, n);
  }
}

template <class V>
void soft_cap(float* x, int64_t n, float cap) noexcept {
  for (int64_t i = 0; i < n; i += 16) {
    const auto y = soft_cap<V>(load_rest<V>(x + i, n - i), cap);
    if (n - i >= 16) {
      V::store(x + i, y);
    } else {
      alignas(64) float rest[16];
      V::store(rest, y);
      for (int64_t k = i; k < n; ++k) x[k] = rest[k - i];
    }
  }
}

}  // namespace nibble
