// Attention of query heads of one token that share a head of keys and values, over V. Scores have
// 16 positions in the lanes (kernel/kv_layout.h), so what is read of a key serves all heads and
// nothing is summed across lanes. Every sum has the order of attention_block.h, and so the same
// bits.
#pragma once

#include <type_traits>

#include "kernel/kv_elements.h"
#include "kernel/operations.h"
#include "kernel/row_operations.h"

namespace nibble {

// Calls function(heads, first) for groups of 8, 4, 2 and 1 heads: a constant, and the first one.
template <int most, class Function>
NIBBLE_INLINE void in_groups(int count, const Function& function) {
  int first = 0;
  if constexpr (most >= 8) {
    for (; count - first >= 8; first += 8) function(std::integral_constant<int, 8>(), first);
  }
  if constexpr (most >= 4) {
    for (; count - first >= 4; first += 4) function(std::integral_constant<int, 4>(), first);
  }
  for (; count - first >= 2; first += 2) function(std::integral_constant<int, 2>(), first);
  if (first < count) function(std::integral_constant<int, 1>(), first);
}

// Heads with two vectors of sums each that the registers hold.
template <class V>
inline constexpr int kHeadsTogether = 2 * V::kDotRows;

// Keys and values come from far, in streams that take turns: what a machine guesses comes next is
// late. Measured at depth 4096: 4.2 ms a token instead of 6.0 (f16, 32 heads that share 4, 22
// layers); 2 to 8 KiB ahead do the same.
NIBBLE_INLINE void fetch_ahead(const std::byte* from, int64_t bytes) {
  constexpr int64_t kAhead = 4096;
  for (int64_t at = 0; at < bytes; at += 64) __builtin_prefetch(from + kAhead + at);
}

// 16 positions times `heads` queries.
template <class V, class Elements, int heads>
NIBBLE_INLINE void score_tile(const float* queries, int64_t head_dim, const std::byte* keys,
                              float* scores) {
  typename V::F32 sum[heads];
  for (int h = 0; h < heads; ++h) sum[h] = V::zero();
  for (int64_t i = 0; i < head_dim; i += Elements::kGroup) {
    const typename Elements::Keys group(keys);
    for (int k = 0; k < Elements::kGroup; ++k) {
      const auto key = group.at(k);
#pragma GCC unroll 8
      for (int h = 0; h < heads; ++h)
        sum[h] = V::fma(V::set1(queries[h * head_dim + i + k]), key, sum[h]);
    }
    keys += 16 * sizeof(typename Elements::Block);
  }
  for (int h = 0; h < heads; ++h) V::store(scores + h * kAttentionPositions, sum[h]);
}

template <class V, class Elements>
void score(const AttentionHeads& a, int64_t at, int64_t count) noexcept {
  for (int64_t i = 0; i < count; i += 16) {
    const std::byte* keys = a.keys + (at + i) * a.key_row;
    fetch_ahead(keys, 16 * a.key_row);
    in_groups<kHeadsTogether<V>>(
        a.count, [&](auto heads, int first) __attribute__((always_inline)) {
          score_tile<V, Elements, heads()>(a.queries + first * a.head_dim, a.head_dim, keys,
                                           a.weights + first * kAttentionPositions + i);
        });
  }
}

// Scores of a head for positions from `at` on as softcap and ALiBi have them.
template <class V>
NIBBLE_INLINE void adjust_scores(const AttentionHeads& a, int head, int64_t at, int64_t count) {
  alignas(64) static constexpr float kSteps[16] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                   8, 9, 10, 11, 12, 13, 14, 15};
  float* scores = a.weights + head * kAttentionPositions;
  for (int64_t i = 0; i < count; i += 16) {
    auto score = V::load(scores + i);
    if (a.softcap > 0) score = soft_cap<V>(score, a.softcap);
    if (a.slopes != nullptr) {
      const auto behind = V::set1(static_cast<float>(at + i - (a.positions - 1)));
      score = V::fma(V::set1(a.slopes[head]), V::add(behind, V::load(kSteps)), score);
    }
    V::store(scores + i, score);
  }
}

// A head's scores of a block become weights e^(score - largest so far), 0 before the first one that
// is seen; what was summed up before is to be multiplied by the result.
template <class V>
NIBBLE_INLINE float softmax_row(float* scores, int64_t first, int64_t count, float& largest,
                                typename V::F32& total) {
  const float before = largest;
  const float here = largest_of<V>(scores + first, count - first);
  largest = here > before ? here : before;
  alignas(64) float factor[16];
  V::store(factor, exp<V>(V::set1(before - largest)));
  total = V::mul(total, V::set1(factor[0]));
  for (int64_t i = 0; i < count; i += 16) {
    V::store(scores + i, exp<V>(V::sub(V::load(scores + i), V::set1(largest))));
    for (int64_t k = i; k < first && k < i + 16; ++k) scores[k] = 0.0f;
    const auto weights = load_rest<V>(scores + i, count - i);  // 0 where there is no position
    total = V::add(total, weights);
  }
  return factor[0];
}

// Stores the lanes that exist.
template <class V>
NIBBLE_INLINE void store_rest(float* to, typename V::F32 x, int64_t rest) {
  if (rest >= 16) return V::store(to, x);
  alignas(64) float lanes[16];
  V::store(lanes, x);
  for (int64_t i = 0; i < rest; ++i) to[i] = lanes[i];
}

// 32 dimensions from `begin` of the outputs of `heads` heads: what they were times the factor of
// each head, and the weighted values of a block.
template <class V, class Elements, int heads>
NIBBLE_INLINE void add_values_at(const AttentionHeads& a, int first, const std::byte* values,
                                 int64_t count, int64_t begin, const float* factors) {
  const float* weights = a.weights + first * kAttentionPositions;
  const int64_t rest = a.head_dim - begin;
  typename V::F32 sum[heads][2];
  for (int h = 0; h < heads; ++h) sum[h][0] = sum[h][1] = V::zero();
  for (int64_t t = 0; t < count; ++t) {
    typename V::F32 value[2];
    if (begin == 0) fetch_ahead(values + t * a.value_row, a.value_row);
    Elements::values(values + t * a.value_row, begin, rest, value);
#pragma GCC unroll 8
    for (int h = 0; h < heads; ++h) {
      const auto weight = V::set1(weights[h * kAttentionPositions + t]);
      for (int k = 0; k < 2; ++k) sum[h][k] = V::fma(weight, value[k], sum[h][k]);
    }
  }
  for (int h = 0; h < heads; ++h) {
    const auto factor = V::set1(factors[first + h]);
    for (int k = 0; k < 2 && 16 * k < rest; ++k) {
      float* to = a.output + (first + h) * a.head_dim + begin + 16 * k;
      const auto before = load_rest<V>(to, rest - 16 * k);
      store_rest<V>(to, V::fma(before, factor, sum[h][k]), rest - 16 * k);
    }
  }
}

template <class V, class Elements>
void add_values(const AttentionHeads& a, int64_t at, int64_t count, const float* factors) noexcept {
  const std::byte* values = a.values + at * a.value_row;
  in_groups<kHeadsTogether<V>>(
      a.count, [&](auto heads, int first) __attribute__((always_inline)) {
        for (int64_t begin = 0; begin < a.head_dim; begin += 32)
          add_values_at<V, Elements, heads()>(a, first, values, count, begin, factors);
      });
}

template <class V, class Elements>
void decode_keys(const std::byte* keys, int64_t head_dim, float* x) noexcept {
  for (int64_t i = 0; i < head_dim; i += Elements::kGroup) {
    const typename Elements::Keys group(keys);
    for (int k = 0; k < Elements::kGroup; ++k) V::store(x + 16 * (i + k), group.at(k));
    keys += 16 * sizeof(typename Elements::Block);
  }
}

template <class V, class Elements>
void decode_value(const std::byte* value, int64_t head_dim, float* x) noexcept {
  for (int64_t i = 0; i < head_dim; i += 32) {
    typename V::F32 part[2];
    Elements::values(value, i, head_dim - i, part);
    for (int64_t k = i; k < i + 32 && k < head_dim; k += 16)
      store_rest<V>(x + k, part[k > i ? 1 : 0], head_dim - k);
  }
}

template <class V>
void attend(const AttentionHeads& a) noexcept {
  typename V::F32 total[kAttentionHeads];
  float largest[kAttentionHeads], factors[kAttentionHeads];
  for (int h = 0; h < a.count; ++h) {
    alignas(64) static constexpr float kOne[16] = {1.0f};
    largest[h] = a.sinks == nullptr ? kNoScore : a.sinks[h];
    total[h] = a.sinks == nullptr ? V::zero() : V::load(kOne);
  }
  for (int64_t i = 0; i < a.count * a.head_dim; ++i) a.output[i] = 0.0f;
  const int64_t begin = a.first / kAttentionPositions * kAttentionPositions;
  for (int64_t at = begin; at < a.positions; at += kAttentionPositions) {
    const int64_t left = a.positions - at;
    const int64_t count = left < kAttentionPositions ? left : kAttentionPositions;
    const int64_t first = at < a.first ? a.first - at : 0;
    a.key_reader->score(a, at, count);
    for (int h = 0; h < a.count; ++h) {
      if (a.softcap > 0 || a.slopes != nullptr) adjust_scores<V>(a, h, at, count);
      factors[h] =
          softmax_row<V>(a.weights + h * kAttentionPositions, first, count, largest[h], total[h]);
    }
    a.value_reader->add_values(a, at, count, factors);
  }
  for (int h = 0; h < a.count; ++h) {
    const float factor = 1.0f / V::sum(total[h]);
    for (int64_t i = 0; i < a.head_dim; ++i) a.output[h * a.head_dim + i] *= factor;
  }
}

}  // namespace nibble
