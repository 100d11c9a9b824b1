// Attention of one query head, over V: scores, softmax, weighted sum of values.
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

template <class V, class Element>
NIBBLE_INLINE void attention_scores(const AttentionHead<Element>& head) {
  for (int64_t t = 0; t < head.positions; ++t) {
    const Element* key = head.keys + t * head.stride;
    auto sum = V::zero();
    for (int64_t i = 0; i < head.head_dim; i += 16) {
      const int64_t rest = head.head_dim - i;
      sum = V::fma(load_rest<V>(head.query + i, rest), load_cached<V>(key + i, rest), sum);
    }
    head.scores[t] = V::sum(sum) * head.scale;
  }
}

// 16 * `vectors` dimensions of the output from `begin`: one pass over the positions.
template <class V, int vectors, class Element>
NIBBLE_INLINE void weighted_values(const AttentionHead<Element>& head, int64_t begin,
                                   float factor) {
  typename V::F32 sum[vectors];
  for (int k = 0; k < vectors; ++k) sum[k] = V::zero();
  for (int64_t t = 0; t < head.positions; ++t) {
    const Element* value = head.values + t * head.stride + begin;
    const auto weight = V::set1(head.scores[t]);
    for (int k = 0; k < vectors; ++k) {
      const int64_t rest = head.head_dim - begin - 16 * k;
      sum[k] = V::fma(load_cached<V>(value + 16 * k, rest), weight, sum[k]);
    }
  }
  for (int k = 0; k < vectors; ++k) {
    const auto scaled = V::mul(sum[k], V::set1(factor));
    float* output = head.output + begin + 16 * k;
    const int64_t rest = head.head_dim - begin - 16 * k;
    if (rest >= 16) {
      V::store(output, scaled);
    } else {
      float padded[16];
      V::store(padded, scaled);
      for (int64_t i = 0; i < rest; ++i) output[i] = padded[i];
    }
  }
}

template <class V, class Element>
NIBBLE_INLINE void attend(const AttentionHead<Element>& head) {
  attention_scores<V>(head);
  const float largest = largest_of<V>(head.scores, head.positions);
  const float total = sum_of_exp<V, true>(head.scores, head.positions, largest);
  const float factor = 1.0f / total;
  int64_t begin = 0;
  for (; begin + 64 <= head.head_dim; begin += 64) weighted_values<V, 4>(head, begin, factor);
  for (; begin < head.head_dim; begin += 16) weighted_values<V, 1>(head, begin, factor);
}

}  // namespace nibble
