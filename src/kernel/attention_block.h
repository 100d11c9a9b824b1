// Attention of many queries at once, over V: 32 queries stand in the lanes of a pair of panels,
// keys and values are tiles that all of them are multiplied with. Softmax goes block by block of
// positions (online softmax, arXiv:1805.02867): there is never a row of all scores.
#pragma once

#include "kernel/gemm.h"
#include "kernel/operations.h"
#include "simd/math.h"

namespace nibble {

template <class V>
NIBBLE_INLINE typename V::F32 exp_where(typename V::Mask mask, typename V::F32 x) {
  return V::select(mask, exp<V>(x), V::zero());
}

// The scores of 16 queries become e^(score - largest so far), 0 where a query does not see the
// position; what was summed up before is to be multiplied by the result.
template <class V>
NIBBLE_INLINE typename V::F32 softmax_block(const AttentionBlock& block, int panel) {
  const int64_t lane = panel * kPanelRows;
  const auto visible = V::load(block.visible + lane);
  const auto sees = [&](int64_t position) __attribute__((always_inline)) {
    return V::greater(visible, V::set1(static_cast<float>(position)));
  };
  const auto before = V::load(block.largest + lane);
  auto largest = before;
  for (int64_t i = 0; i < block.positions; ++i) {
    const auto score = V::load(block.scores + kPairRows * i + lane);
    largest = V::max(V::select(sees(i), score, largest), largest);
  }
  const auto factor = exp<V>(V::sub(before, largest));
  float* totals = block.total + lane;  // of every 16th position
  for (int k = 0; k < 16; ++k)
    V::store(totals + kPairRows * k, V::mul(V::load(totals + kPairRows * k), factor));
  float* weights = block.weights + lane * block.positions;
  for (int64_t i = 0; i < block.positions; ++i) {
    const auto score = V::load(block.scores + kPairRows * i + lane);
    const auto weight = exp_where<V>(sees(i), V::sub(score, largest));
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
  for (int p = 0; p < kPanelPair; ++p) factor[p] = softmax_block<V>(block, p);
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
