#include "model/layer_ropes.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace nibble {
namespace {

// The pair that turns `turns` times in the original context.
double pair_that_turns(double turns, const ModelConfig& c) {
  const auto dimensions = static_cast<double>(c.rope_dimensions);
  const double wavelength = c.rope_scaling.original_context / turns;
  return dimensions * std::log(wavelength / (2 * std::numbers::pi)) / (2 * std::log(c.rope_base));
}

// Divisors of frequencies by YaRN: 1 for pairs up to the one that turns beta_fast times, its factor
// from the one that turns beta_slow times on, in between frequencies are blended.
std::vector<float> yarn_divisors(const ModelConfig& c) {
  const RopeScaling& scaling = c.rope_scaling;
  const auto last = static_cast<double>(c.rope_dimensions - 1);
  double first = pair_that_turns(scaling.yarn_beta_fast, c);
  double end = pair_that_turns(scaling.yarn_beta_slow, c);
  if (c.arch->rounds_yarn) first = std::floor(first), end = std::ceil(end);
  first = std::max(first, 0.0), end = std::min(end, last);
  std::vector<float> divisors;
  for (int64_t i = 0; i < c.rope_dimensions / 2; ++i) {
    const double slowed =
        std::clamp((static_cast<double>(i) - first) / std::max(end - first, 0.001), 0.0, 1.0);
    divisors.push_back(static_cast<float>(1.0 / (slowed / scaling.yarn_factor + 1.0 - slowed)));
  }
  return divisors;
}

}  // namespace

LayerRopes::LayerRopes(const ModelConfig& c, const RopeFactors& factors) : config_(c) {
  if (c.rope_dimensions == 0) return;
  std::vector<float> yarn;
  if (c.rope_scaling.yarn_factor > 0) yarn = yarn_divisors(c);
  const auto rope = [&](std::span<const float> divisors) {
    return Rope(c.rope_dimensions, c.rope_base, c.rope_scaling.position_scale, divisors,
                c.arch->rope_pairs, c.rope_scaling.magnitude);
  };
  short_ = rope(!yarn.empty()                   ? std::span<const float>(yarn)
                : factors.short_context.empty() ? factors.common
                                                : factors.short_context);
  if (!factors.long_context.empty()) long_ = rope(factors.long_context);
  if (c.local_rope_base > 0)
    local_ = Rope(c.rope_dimensions, c.local_rope_base, 1.0, {}, c.arch->rope_pairs);
}

std::optional<LayerRopes::Kind> LayerRopes::kind_of(int64_t layer) const {
  if (!config_.rotates(layer)) return std::nullopt;
  return local_ && config_.window_of(layer) > 0 ? kLocal : kGlobal;
}

const Rope& LayerRopes::of(Kind kind, int64_t capacity) const {
  if (kind == kLocal) return *local_;
  const bool is_long =
      long_ && static_cast<double>(capacity) > config_.rope_scaling.original_context;
  return is_long ? *long_ : *short_;
}

}  // namespace nibble
