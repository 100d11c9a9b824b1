#include "model/feed_forward.h"

#include <algorithm>
#include <cmath>

#include "kernel/operations.h"
#include "model/batch.h"

namespace nibble {

void FeedForward::run(int64_t layer, const float* x, int64_t tokens, float* y) {
  run({Role::kFfnGate, Role::kFfnUp, Role::kFfnDown, config_.ffn}, layer, x, tokens, y);
}

void FeedForward::run(const Matrices& of, int64_t layer, const float* x, int64_t tokens, float* y) {
  const auto& [gate, up, down, width] = of;
  const bool is_gated = static_cast<bool>(weights_.of(gate, layer));
  const bool is_fused = config_.arch->fuses_gate && !is_gated;
  grow(gate_, tokens * width);
  if (is_gated || is_fused) grow(up_, tokens * (is_fused ? 2 * width : width));
  if (is_gated) {
    products_.multiply({{gate, gate_.data()}, {up, up_.data()}}, layer, x, tokens, config_.hidden);
  } else if (is_fused) {
    products_.multiply({{up, up_.data()}}, layer, x, tokens, config_.hidden);
    split_fused(tokens, width);
  } else {
    products_.multiply({{up, gate_.data()}}, layer, x, tokens, config_.hidden);
  }
  const float* gated = is_gated || is_fused ? up_.data() : nullptr;
  pool_.run(tokens, 4, [&, width = width](int64_t begin, int64_t end, int) {
    const int64_t at = begin * width;
    operations().apply(config_.nonlinearity, gate_.data() + at,
                       gated == nullptr ? nullptr : gated + at, (end - begin) * width);
  });
  products_.multiply({{down, y}}, layer, gate_.data(), tokens, width);
}

// Rows of what gates and what is gated become rows of each; later rows of up_ are still read when
// earlier ones are written.
void FeedForward::split_fused(int64_t tokens, int64_t width) {
  for (int64_t t = 0; t < tokens; ++t) {
    const float* row = up_.data() + t * 2 * width;
    std::copy_n(row, width, gate_.data() + t * width);
    std::copy_n(row + width, width, up_.data() + t * width);
  }
}

void FeedForward::add_shared(int64_t layer, const float* x, int64_t tokens, float* y) {
  if (config_.shared_ffn == 0) return;
  const int64_t hidden = config_.hidden;
  grow(shared_, tokens * hidden);
  run({Role::kFfnGateShared, Role::kFfnUpShared, Role::kFfnDownShared, config_.shared_ffn}, layer,
      x, tokens, shared_.data());
  const float* gate = weights_.vector(Role::kFfnSharedGate, layer);
  pool_.run(tokens, 8, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      double share = 0;
      for (int64_t i = 0; gate != nullptr && i < hidden; ++i)
        share += static_cast<double>(gate[i]) * x[t * hidden + i];
      const auto weight =
          static_cast<float>(gate == nullptr ? 1.0 : 1.0 / (1.0 + std::exp(-share)));
      for (int64_t i = t * hidden; i < (t + 1) * hidden; ++i)
        y[i] += weight * shared_[static_cast<size_t>(i)];
    }
  });
}

}  // namespace nibble
