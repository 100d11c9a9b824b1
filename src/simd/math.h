// Functions of float lanes, written once over V.
#pragma once

#include "base/attributes.h"

namespace nibble {

// e^x with a relative error below 2e-7; x is clamped to [-87, 88], where the result is a normal
// number. Range reduction by multiples of ln 2, then the polynomial of Cephes' expf.
template <class V>
NIBBLE_INLINE typename V::F32 exp(typename V::F32 x) {
  x = V::min(V::max(x, V::set1(-87.0f)), V::set1(88.0f));
  const auto n = V::round(V::mul(x, V::set1(1.44269504088896341f)));
  auto r = V::fma(n, V::set1(-0.693359375f), x);
  r = V::fma(n, V::set1(2.12194440e-4f), r);
  auto p = V::set1(1.9875691500e-4f);
  p = V::fma(p, r, V::set1(1.3981999507e-3f));
  p = V::fma(p, r, V::set1(8.3334519073e-3f));
  p = V::fma(p, r, V::set1(4.1665795894e-2f));
  p = V::fma(p, r, V::set1(1.6666665459e-1f));
  p = V::fma(p, r, V::set1(5.0000001201e-1f));
  p = V::fma(p, V::mul(r, r), V::add(r, V::set1(1.0f)));
  return V::scale_by_power_of_2(p, n);
}

// cap * tanh(x / cap), with an absolute error below 1e-7 * cap.
template <class V>
NIBBLE_INLINE typename V::F32 soft_cap(typename V::F32 x, float cap) {
  const auto one = V::set1(1.0f);
  const auto e = exp<V>(V::mul(x, V::set1(2.0f / cap)));
  return V::mul(V::set1(cap), V::div(V::sub(e, one), V::add(e, one)));
}

// erf(x) with an absolute error below 2e-7: Abramowitz and Stegun, 7.1.26.
template <class V>
NIBBLE_INLINE typename V::F32 erf(typename V::F32 x) {
  const auto one = V::set1(1.0f);
  const auto a = V::abs(x);
  const auto t = V::div(one, V::fma(V::set1(0.3275911f), a, one));
  auto p = V::set1(1.061405429f);
  p = V::fma(p, t, V::set1(-1.453152027f));
  p = V::fma(p, t, V::set1(1.421413741f));
  p = V::fma(p, t, V::set1(-0.284496736f));
  p = V::fma(p, t, V::set1(0.254829592f));
  const auto tail = V::mul(V::mul(p, t), exp<V>(V::sub(V::zero(), V::mul(a, a))));
  const auto result = V::sub(one, tail);
  return V::select(V::greater(V::zero(), x), V::sub(V::zero(), result), result);
}

}  // namespace nibble
