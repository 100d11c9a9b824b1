#include "model/latent_projection.h"

#include <algorithm>

#include "model/batch.h"

namespace nibble {

void LatentProjection::project(int64_t layer, const float* x, int64_t tokens, float* q, float* k) {
  make_queries(layer, x, tokens);
  make_keys(layer, tokens, k);
  const int64_t heads = config_.heads, still = config_.still_key_dim;
  const int64_t turned = config_.rope_dimensions, latent = config_.latent;
  grow(by_head_, heads * tokens * std::max(still, latent));
  pool_.run(tokens, 4, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin * heads; i < end * heads; ++i) {
      const float* query = queries_.data() + i * (still + turned);
      std::copy_n(query, still, by_head_.data() + (i % heads * tokens + i / heads) * still);
      std::copy_n(query + still, turned, q + i * config_.head_dim);
    }
  });
  multiply_heads(Role::kAttnKB, layer, tokens, still, latent);
  pool_.run(tokens, 4, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin * heads; i < end * heads; ++i) {
      std::copy_n(of_heads_.data() + (i % heads * tokens + i / heads) * latent, latent,
                  q + i * config_.head_dim + turned);
    }
  });
}

void LatentProjection::make_queries(int64_t layer, const float* x, int64_t tokens) {
  const int64_t query_latent = config_.query_latent;
  grow(queries_, tokens * config_.heads * (config_.still_key_dim + config_.rope_dimensions));
  grow(compressed_, tokens * config_.kv_width());
  if (query_latent == 0) {
    products_.multiply({{Role::kAttnQ, queries_.data()}, {Role::kAttnKvA, compressed_.data()}},
                       layer, x, tokens, config_.hidden);
    return;
  }
  grow(query_latents_, tokens * query_latent);
  products_.multiply({{Role::kAttnQA, query_latents_.data()}, {Role::kAttnKvA, compressed_.data()}},
                     layer, x, tokens, config_.hidden);
  norms_.normalize(Role::kAttnQANorm, layer, query_latents_.data(), tokens, query_latent,
                   query_latents_.data());
  products_.multiply({{Role::kAttnQB, queries_.data()}}, layer, query_latents_.data(), tokens,
                     query_latent);
}

// The latent comes first, and is brought behind what turns.
void LatentProjection::make_keys(int64_t layer, int64_t tokens, float* k) {
  const int64_t latent = config_.latent, turned = config_.rope_dimensions;
  const int64_t width = config_.kv_width();
  grow(latents_, tokens * latent);
  for (int64_t t = 0; t < tokens; ++t)
    std::copy_n(compressed_.data() + t * width, latent, latents_.data() + t * latent);
  norms_.normalize(Role::kAttnKvANorm, layer, latents_.data(), tokens, latent, latents_.data());
  if (observer_ != nullptr && weights_.of(Role::kAttnKvB, layer)) {
    const Role role = Role::kAttnKvB;
    observer_->on_input({&role, 1}, layer, 0, {latents_.data(), tokens, latent});
  }
  for (int64_t t = 0; t < tokens; ++t) {
    std::copy_n(compressed_.data() + t * width + latent, turned, k + t * width);
    std::copy_n(latents_.data() + t * latent, latent, k + t * width + turned);
  }
}

void LatentProjection::multiply_heads(Role role, int64_t layer, int64_t tokens, int64_t columns,
                                      int64_t rows) {
  ends_.clear();
  matrices_.clear();
  grow(of_heads_, config_.heads * tokens * rows);
  for (int64_t h = 0; h < config_.heads; ++h) {
    ends_.push_back((h + 1) * tokens);
    matrices_.push_back({&weights_.of(role, layer, h), of_heads_.data() + h * tokens * rows, h});
  }
  activations_.assign(by_head_.data(), config_.heads * tokens, columns, ends_);
  const bool is_observed = observer_ != nullptr && !weights_.of(Role::kAttnKvB, layer);
  for (int64_t h = 0; is_observed && h < config_.heads; ++h) {
    observer_->on_input({&role, 1}, layer, h,
                        {by_head_.data() + h * tokens * columns, tokens, columns});
  }
  matmul(matrices_, activations_, pool_);
}

const float* LatentProjection::values(int64_t layer, const float* attended, int64_t tokens) {
  const int64_t heads = config_.heads, latent = config_.latent, value = config_.value_dim;
  pool_.run(tokens, 4, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin * heads; i < end * heads; ++i) {
      std::copy_n(attended + i * config_.head_dim + config_.rope_dimensions, latent,
                  by_head_.data() + (i % heads * tokens + i / heads) * latent);
    }
  });
  multiply_heads(Role::kAttnVB, layer, tokens, latent, value);
  grow(values_, tokens * heads * value);
  pool_.run(tokens, 4, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin * heads; i < end * heads; ++i) {
      std::copy_n(of_heads_.data() + (i % heads * tokens + i / heads) * value, value,
                  values_.data() + i * value);
    }
  });
  return values_.data();
}

uint64_t LatentProjection::buffer_bytes() const {
  uint64_t floats = 0;
  for (const auto* buffer :
       {&compressed_, &latents_, &query_latents_, &queries_, &by_head_, &of_heads_, &values_})
    floats += buffer->size();
  return floats * sizeof(float) + activations_.buffer_bytes();
}

}  // namespace nibble
