// Attention of query heads of one token that share a head of keys and values, over V. Scores have
// 16 positions in the lanes (kernel/kv_layout.h), so what is read of a key serves all heads and
// nothing is summed across lanes. Every sum has the order of attention_block.h, and so the same
// bits.
#pragma once

#include "kernel/operations.h"
#include "kernel/row_operations.h"

namespace nibble {

template <class V>
NIBBLE_INLINE typename V::F32 load_cached(const float* p, int64_t rest) {
  return load_rest<V>(p, rest);
}
template <class V>
NIBBLE_INLINE typename V::F32 load_cached(const uint16_t* p, int64_t rest) {
  if (rest >= 16) return V::load_f16(p);
  uint16_t padded[16] = {};
  for (int64_t i = 0; i < rest; ++i) padded[i] = p[i];
  return V::load_f16(padded);
}

// 16 positions times `heads` queries.
template <class V, int heads, class Element>
NIBBLE_INLINE void score_tile(const float* queries, int64_t head_dim, const Element* keys,
                              float* scores) {
  typename V::F32 sum[heads];
  for (int h = 0; h < heads; ++h) sum[h] = V::zero();
  for (int64_t i = 0; i < head_dim; ++i) {
    const auto key = load_cached<V>(keys + 16 * i, 16);
#pragma GCC unroll 8
    for (int h = 0; h < heads; ++h) {
      sum[h] = V::fma(V::set1(queries[h * head_dim + i]), key, sum[h]);
    }
  }
  for (int h = 0; h < heads; ++h) V::store(scores + h * kAttentionPositions, sum[h]);
}

// A head's scores of a block become weights e^(score - largest so far); what was summed up before
// is to be multiplied by the result.
template <class V>
NIBBLE_INLINE float softmax_row(float* scores, int64_t count, float& largest,
                                typename V::F32& total) {
  const float before = largest;
  const float here = largest_of<V>(scores, count);
  largest = here > before ? here : before;
  alignas(64) float factor[16];
  V::store(factor, exp<V>(V::set1(before - largest)));
  total = V::mul(total, V::set1(factor[0]));
  for (int64_t i = 0; i < count; i += 16) {
    V::store(scores + i, exp<V>(V::sub(V::load(scores + i), V::set1(largest))));
    const auto weights = load_rest<V>(scores + i, count - i);  // 0 where there is no position
    total = V::add(total, weights);
  }
  return factor[0];
}

// 16 * `vectors` dimensions from `begin` of the outputs of `heads` heads: what they were times the
// factor of each head, and the weighted values of a block.
template <class V, int heads, int vectors, class Element>
NIBBLE_INLINE void add_values(const Element* values, int64_t count, int64_t head_dim, int64_t begin,
                              const float* weights, const float* factors, float* output) {
  typename V::F32 sum[heads][vectors];
  for (int h = 0; h < heads; ++h) {
    for (int k = 0; k < vectors; ++k) sum[h][k] = V::zero();
  }
  const int64_t rest = head_dim - begin;
  for (int64_t t = 0; t < count; ++t) {
    typename V::F32 value[vectors];
    for (int k = 0; k < vectors; ++k)
      value[k] = load_cached<V>(values + t * head_dim + begin + 16 * k, rest - 16 * k);
#pragma GCC unroll 4
    for (int h = 0; h < heads; ++h) {
      const auto weight = V::set1(weights[h * kAttentionPositions + t]);
      for (int k = 0; k < vectors; ++k) sum[h][k] = V::fma(weight, value[k], sum[h][k]);
    }
  }
  for (int h = 0; h < heads; ++h) {
    for (int k = 0; k < vectors; ++k) {
      float* to = output + h * head_dim + begin + 16 * k;
      const auto before = load_rest<V>(to, rest - 16 * k);
      alignas(64) float lanes[16];
      V::store(lanes, V::fma(before, V::set1(factors[h]), sum[h][k]));
      for (int64_t i = 0; i < 16 && i < rest - 16 * k; ++i) to[i] = lanes[i];
    }
  }
}

template <class V, int heads, class Element>
NIBBLE_INLINE void attend_some(const AttentionHeads<Element>& a, int first) {
  constexpr int kTogether = heads < 4 ? heads : 4;  // heads of add_values
  const float* queries = a.queries + first * a.head_dim;
  float* output = a.output + first * a.head_dim;
  typename V::F32 total[heads];
  float largest[heads], factors[heads];
  for (int h = 0; h < heads; ++h) largest[h] = kNoScore, total[h] = V::zero();
  for (int64_t i = 0; i < heads * a.head_dim; ++i) output[i] = 0.0f;
  for (int64_t at = 0; at < a.positions; at += kAttentionPositions) {
    const int64_t left = a.positions - at;
    const int64_t count = left < kAttentionPositions ? left : kAttentionPositions;
    for (int64_t i = 0; i < count; i += 16) {
      score_tile<V, heads>(queries, a.head_dim, a.keys + (at + i) * a.head_dim, a.weights + i);
    }
    for (int h = 0; h < heads; ++h) {
      factors[h] = softmax_row<V>(a.weights + h * kAttentionPositions, count, largest[h], total[h]);
    }
    const Element* values = a.values + at * a.head_dim;
    for (int h = 0; h < heads; h += kTogether) {
      const float* weights = a.weights + h * kAttentionPositions;
      int64_t begin = 0;
      for (; begin + 64 <= a.head_dim; begin += 64) {
        add_values<V, kTogether, 4>(values, count, a.head_dim, begin, weights, factors + h,
                                    output + h * a.head_dim);
      }
      for (; begin < a.head_dim; begin += 16) {
        add_values<V, kTogether, 1>(values, count, a.head_dim, begin, weights, factors + h,
                                    output + h * a.head_dim);
      }
    }
  }
  for (int h = 0; h < heads; ++h) {
    const float factor = 1.0f / V::sum(total[h]);
    for (int64_t i = 0; i < a.head_dim; ++i) output[h * a.head_dim + i] *= factor;
  }
}

template <class V, class Element>
NIBBLE_INLINE void attend(const AttentionHeads<Element>& a) {
  static_assert(kAttentionHeads == 8);
  int first = 0;
  for (; first + 8 <= a.count; first += 8) attend_some<V, 8>(a, first);
  if (first + 4 <= a.count) attend_some<V, 4>(a, first), first += 4;
  if (first + 2 <= a.count) attend_some<V, 2>(a, first), first += 2;
  if (first < a.count) attend_some<V, 1>(a, first);
}

}  // namespace nibble
