// Attention of many queries at once, over V: 32 queries stand in the lanes of a pair of panels,
// keys and values are tiles that all of them are multiplied with. Softmax goes block by block of
// positions (online softmax, arXiv:1805.02867): there is never a row of all scores.
#pragma once

#include "kernel/gemm.h"
#include "kernel/operations.h"
#include "simd/math.h"

namespace nibble {

// Scores as softcap and ALiBi have them.
template <class V>
NIBBLE_INLINE void adjust_scores(const AttentionBlock& block) {
  for (int lane = 0; lane < kPairRows; lane += kPanelRows) {
    for (int64_t i = 0; i < block.positions; ++i) {
      float* to = block.scores + kPairRows * i + lane;
      auto score = V::load(to);
      if (block.softcap > 0) score = soft_cap<V>(score, block.softcap);
      if (block.slopes != nullptr) {
        const auto step = V::add(V::load(block.behind + lane), V::set1(static_cast<float>(i)));
        score = V::fma(V::load(block.slopes + lane), step, score);
      }
      V::store(to, score);
    }
  }
}

// The scores of 16 queries become e^(score - largest so far), 0 where a query does not see the
// position; what was summed up before is to be multiplied by the result.
template <class V, bool kHides>
NIBBLE_INLINE typename V::F32 softmax_block(const AttentionBlock& block, int panel) {
  const int64_t lane = panel * kPanelRows;
  const auto visible = V::load(block.visible + lane);
  const auto hidden = kHides ? V::load(block.hidden + lane) : V::zero();
  // x, or `otherwise` where a query does not see the position.
  const auto if_seen = [&](int64_t position, typename V::F32 x, typename V::F32 otherwise)
      __attribute__((always_inline)) {
    const auto at = V::set1(static_cast<float>(position));
    if constexpr (kHides) x = V::select(V::greater(hidden, at), otherwise, x);
    return V::select(V::greater(visible, at), x, otherwise);
  };
  const auto before = V::load(block.largest + lane);
  auto largest = before;
  for (int64_t i = 0; i < block.positions; ++i) {
    const auto score = V::load(block.scores + kPairRows * i + lane);
    largest = V::max(if_seen(i, score, largest), largest);
  }
  const auto factor = exp<V>(V::sub(before, largest));
  float* totals = block.total + lane;  // of every 16th position
  for (int k = 0; k < 16; ++k)
    V::store(totals + kPairRows * k, V::mul(V::load(totals + kPairRows * k), factor));
  float* weights = block.weights + lane * block.positions;
  for (int64_t i = 0; i < block.positions; ++i) {
    const auto score = V::load(block.scores + kPairRows * i + lane);
    const auto weight = if_seen(i, exp<V>(V::sub(score, largest)), V::zero());
    V::store(weights + kPanelRows * i, weight);
    float* total = totals + kPairRows * (i % 16);
    V::store(total, V::add(V::load(total), weight));
  }
  V::store(block.largest + lane, largest);
  return factor;
}

template <class V>
void attend_block(const AttentionBlock& block) noexcept {
  constexpr int kWidth = kAttentionTile;
  const auto tile = [](const float* x) {
    return ActivationTile{nullptr, nullptr, nullptr, nullptr, x, kWidth, kWidth};
  };
  WeightPanel queries[kPanelPair] = {}, weights[kPanelPair] = {};
  for (int p = 0; p < kPanelPair; ++p) {
    queries[p].x = const_cast<float*>(block.queries) + p * kPanelRows * block.head_dim;
    weights[p].x = block.weights + p * kPanelRows * block.positions;
  }
  for (int64_t i = 0; i < block.positions; i += kWidth) {
    float_tile<V, kWidth>(queries, tile(block.keys + i * block.head_dim), block.head_dim,
                          block.scores + i * kPairRows);
  }
  typename V::F32 factor[kPanelPair];
  if (block.softcap > 0 || block.slopes != nullptr) adjust_scores<V>(block);
  for (int p = 0; p < kPanelPair; ++p) {
    factor[p] = block.hidden == nullptr ? softmax_block<V, false>(block, p)
                                        : softmax_block<V, true>(block, p);
  }
  alignas(64) float sums[kWidth * kPairRows];
  for (int64_t i = 0; i < block.head_dim; i += kWidth) {
    float_tile<V, kWidth>(weights, tile(block.values + i * block.positions), block.positions, sums);
    for (int c = 0; c < kWidth * kPanelPair; ++c) {
      float* to = block.output + i * kPairRows + c * kPanelRows;
      V::store(to, V::fma(V::load(to), factor[c % kPanelPair], V::load(sums + c * kPanelRows)));
    }
  }
}

}  // namespace nibble
