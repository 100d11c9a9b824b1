// Loops that do one thing as fast as the machine can, over V: their rates are the limits that a
// forward pass is compared with (kernel/machine_limits.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/attributes.h"
#include "kernel/panel.h"

namespace nibble {

template <class V>
struct IntegerProducts {
  using Number = int8_t;
  using Operand = typename V::I8;
  using Sum = typename V::I32;
  static NIBBLE_INLINE Sum zero() { return V::set1_i32(0); }
  static NIBBLE_INLINE Operand load(const int8_t* p) { return V::load_bytes(p); }
  static NIBBLE_INLINE Operand broadcast(const int8_t* p) { return V::broadcast4(p); }
  static NIBBLE_INLINE Sum add(Sum sum, Operand w, Operand a) {
    if constexpr (MultipliesMatrices<V>) {
      return V::add_matrix_products(sum, w, a);
    } else {
      return V::add_panel_dot(sum, w, a);
    }
  }
  static NIBBLE_INLINE float total(Sum sum) { return V::sum(V::to_f32(sum)); }
};

template <class V>
struct FloatProducts {
  using Number = float;
  using Operand = typename V::F32;
  using Sum = typename V::F32;
  static NIBBLE_INLINE Sum zero() { return V::zero(); }
  static NIBBLE_INLINE Operand load(const float* p) { return V::load(p); }
  static NIBBLE_INLINE Operand broadcast(const float* p) { return V::set1(*p); }
  static NIBBLE_INLINE Sum add(Sum sum, Operand w, Operand a) { return V::fma(w, a, sum); }
  static NIBBLE_INLINE float total(Sum sum) { return V::sum(sum); }
};

// Multiplies ones and sums up, so that the result says how many products there were and none can be
// left out: the same number in each round.
//
// As in gemm.h, operands come from the first-level cache, two rows of weights times a few
// activations. The sums take 16 of AVX-512's 32 registers, 12 of AVX2's 16 (where a V is two): with
// 12 on AVX-512, vpdpbusd waits for its own last result and comes to 95 % of what it can do.
template <class V, template <class> class Kind>
int64_t multiply_ones(int64_t rounds) noexcept {
  using Products = Kind<V>;
  using Number = typename Products::Number;
  constexpr int kSteps = 8, kWeights = 2, kActivations = V::kDotRows >= 4 ? 8 : 3;
  constexpr int kWide = 64 / sizeof(Number), kNarrow = 4 / sizeof(Number);
  alignas(64) Number weights[kSteps * kWeights * kWide];
  Number activations[kSteps * kActivations * kNarrow];
  for (Number& weight : weights) weight = 1;
  for (Number& activation : activations) activation = 1;

  typename Products::Sum sums[kWeights][kActivations];  // loops unrolled, or they stay in memory
#pragma GCC unroll 8
  for (int c = 0; c < kActivations; ++c) {
    for (int p = 0; p < kWeights; ++p) sums[p][c] = Products::zero();
  }
  for (int64_t i = 0; i < rounds; ++i) {
    asm volatile("" : : "r"(weights), "r"(activations) : "memory");  // as if they had changed
#pragma GCC unroll 8
    for (int k = 0; k < kSteps; ++k) {
      typename Products::Operand w[kWeights];
      for (int p = 0; p < kWeights; ++p)
        w[p] = Products::load(weights + (kWeights * k + p) * kWide);
#pragma GCC unroll 8
      for (int c = 0; c < kActivations; ++c) {
        const auto a = Products::broadcast(activations + (kActivations * k + c) * kNarrow);
        for (int p = 0; p < kWeights; ++p) sums[p][c] = Products::add(sums[p][c], w[p], a);
      }
    }
  }
  float total = 0;
#pragma GCC unroll 8
  for (int c = 0; c < kActivations; ++c) {
    for (int p = 0; p < kWeights; ++p) total += Products::total(sums[p][c]);
  }
  return static_cast<int64_t>(total);
}

// Which bits of 64 are set in any of the words; bytes is a multiple of 512.
template <class V>
uint64_t read_words(const std::byte* from, int64_t bytes) noexcept {
  typename V::I8 seen[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) seen[i] = V::bytes_from_bits(0, 0);
  for (const std::byte* end = from + bytes; from != end; from += sizeof seen) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) seen[i] = V::bit_or(seen[i], V::load_bytes(from + 64 * i));
  }
#pragma GCC unroll 8
  for (int i = 1; i < 8; ++i) seen[0] = V::bit_or(seen[0], seen[i]);
  uint64_t words[8], all = 0;
  V::store_bytes(words, seen[0]);
  for (const uint64_t word : words) all |= word;
  return all;
}

}  // namespace nibble
