#include "model/attention.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace nibble {
namespace {

std::span<const float> factors(const ModelConfig& config, const Weights& weights, Role role) {
  if (!weights.of(role)) return {};
  return {weights.vector(role), static_cast<size_t>(config.rope_dimensions / 2)};
}

RopeFactors rope_factors(const ModelConfig& config, const Weights& weights) {
  return {factors(config, weights, Role::kRopeFreqs),
          factors(config, weights, Role::kRopeFactorsLong),
          factors(config, weights, Role::kRopeFactorsShort)};
}

// 2^(-max_bias (h + 1) / n) for a power of two n of heads; others take those of the next lower one
// and between them every second one of the next higher one (arXiv:2108.12409, its code).
std::vector<float> alibi_slopes(int64_t heads, double max_bias) {
  const auto power = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(heads)));
  std::vector<float> slopes;
  for (int64_t h = 0; h < heads; ++h) {
    const double step = h < power ? max_bias / static_cast<double>(power)
                                  : max_bias / (2.0 * static_cast<double>(power));
    const auto number = static_cast<double>(h < power ? h + 1 : 2 * (h - power) + 1);
    slopes.push_back(static_cast<float>(std::pow(2.0, -step * number)));
  }
  return slopes;
}

}  // namespace

SelfAttention::SelfAttention(const ModelConfig& config, const Weights& weights,
                             RowProducts& products, ThreadPool& pool)
    : config_(config),
      weights_(weights),
      products_(products),
      pool_(pool),
      norms_(config, weights, pool),
      ropes_(config, rope_factors(config, weights)),
      latent_(config, weights, products, pool) {
  if (config.max_alibi_bias > 0) slopes_ = alibi_slopes(config.heads, config.max_alibi_bias);
}

void SelfAttention::begin(std::span<const ForwardPart> parts, std::span<const TokenPlace> places) {
  parts_ = parts;
  places_ = places;
  for (auto* buffer : {&q_, &attended_}) grow(*buffer, tokens() * config_.q_width());
  for (auto* buffer : {&k_, &v_}) grow(*buffer, tokens() * config_.kv_width());
  for (const auto kind : {LayerRopes::kGlobal, LayerRopes::kLocal}) {
    if (!ropes_.has(kind)) continue;
    grow(cos_sin_[kind], tokens() * config_.rope_dimensions);
    pool_.run(tokens(), 16, [&](int64_t begin, int64_t end, int) {
      for (int64_t t = begin; t < end; ++t) {
        const TokenPlace& place = places_[static_cast<size_t>(t)];
        ropes_.of(kind, place.cache->capacity())
            .angles(place.position, cos_sin_[kind].data() + t * config_.rope_dimensions);
      }
    });
  }
}

void SelfAttention::run(int64_t layer, const float* x, float* y) {
  project(layer, x);
  store_rotated(layer);
  attend(layer);
  make_output(layer, y);
}

void SelfAttention::make_output(int64_t layer, float* y) {
  const float* attended =
      config_.latent == 0 ? attended_.data() : latent_.values(layer, attended_.data(), tokens());
  products_.multiply({{Role::kAttnOutput, y}}, layer, attended, tokens(), config_.attended_width());
}

void SelfAttention::project(int64_t layer, const float* x) {
  if (config_.latent > 0) {
    latent_.project(layer, x, tokens(), q_.data(), k_.data());
    return;
  }
  if (weights_.of(Role::kAttnQkv, layer)) {
    grow(qkv_, tokens() * (config_.q_width() + 2 * config_.kv_width()));
    products_.multiply({{Role::kAttnQkv, qkv_.data()}}, layer, x, tokens(), config_.hidden);
    split_fused();
  } else {
    products_.multiply(
        {{Role::kAttnQ, q_.data()}, {Role::kAttnK, k_.data()}, {Role::kAttnV, v_.data()}}, layer, x,
        tokens(), config_.hidden);
  }
  if (config_.qkv_limit > 0) {
    limit(q_.data(), tokens() * config_.q_width());
    limit(k_.data(), tokens() * config_.kv_width());
    limit(v_.data(), tokens() * config_.kv_width());
  }
  normalize_heads(Role::kAttnQNorm, layer, q_.data(), config_.heads);
  normalize_heads(Role::kAttnKNorm, layer, k_.data(), config_.kv_heads);
}

void SelfAttention::split_fused() {
  const int64_t q_width = config_.q_width(), width = config_.kv_width();
  pool_.run(tokens(), 8, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      const float* row = qkv_.data() + t * (q_width + 2 * width);
      std::copy_n(row, q_width, q_.data() + t * q_width);
      std::copy_n(row + q_width, width, k_.data() + t * width);
      std::copy_n(row + q_width + width, width, v_.data() + t * width);
    }
  });
}

void SelfAttention::limit(float* x, int64_t count) const {
  for (int64_t i = 0; i < count; ++i)
    x[i] = std::clamp(x[i], -config_.qkv_limit, config_.qkv_limit);
}

void SelfAttention::normalize_heads(Role role, int64_t layer, float* x, int64_t heads) {
  if (!weights_.of(role, layer)) return;
  const bool is_row = config_.arch->qk_norm == QkNorm::kRow;
  norms_.normalize(role, layer, x, is_row ? tokens() : tokens() * heads,
                   is_row ? heads * config_.head_dim : config_.head_dim, x);
}

void SelfAttention::store_rotated(int64_t layer) {
  const int64_t width = config_.kv_width(), dimensions = config_.rope_dimensions;
  const auto kind = ropes_.kind_of(layer);
  const RopePairs pairs = config_.arch->rope_pairs;
  pool_.run(tokens(), 8, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      float* q = q_.data() + t * config_.q_width();
      float* k = k_.data() + t * width;
      if (kind) {
        const float* angles = cos_sin_[*kind].data() + t * dimensions;
        Rope::turn(angles, dimensions, q, config_.heads, config_.head_dim, pairs);
        Rope::turn(angles, dimensions, k, config_.kv_heads, config_.head_dim, pairs);
      }
      const TokenPlace& place = places_[static_cast<size_t>(t)];
      const float* v = config_.latent > 0 ? k : v_.data() + t * width;
      place.cache->store(layer, place.position, k, v);
    }
  });
}

void SelfAttention::attend(int64_t layer) {
  batches_.clear();
  int64_t row = 0;
  for (const auto& [tokens, cache, wanted] : parts_) {
    const auto count = static_cast<int64_t>(tokens.size());
    batches_.push_back({q_.data() + row * config_.q_width(), cache->keys(layer),
                        cache->values(layer), cache->layout(),
                        attended_.data() + row * config_.q_width(), count, cache->length(),
                        config_.heads, config_.attention_scale, config_.window_of(layer),
                        config_.attention_softcap, slopes_.empty() ? nullptr : slopes_.data(),
                        weights_.vector(Role::kAttnSinks, layer), config_.is_encoder});
    row += count;
  }
  nibble::attend(batches_, pool_);
}

uint64_t SelfAttention::buffer_bytes() const {
  uint64_t floats = 0;
  for (const auto* buffer : {&q_, &k_, &v_, &qkv_, &attended_}) floats += buffer->size();
  for (const auto& buffer : cos_sin_) floats += buffer.size();
  return floats * sizeof(float) + latent_.buffer_bytes();
}

}  // namespace nibble
