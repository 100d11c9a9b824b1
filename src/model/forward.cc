#include "model/forward.h"

#include <algorithm>
#include <cmath>

#include "codec/codec.h"
#include "kernel/operations.h"

namespace nibble {
namespace {

const float* floats(const TensorView& view) { return reinterpret_cast<const float*>(view.data); }

std::span<const float> rope_factors(const ModelConfig& config, const Weights& weights) {
  const TensorView& view = weights.of(Role::kRopeFreqs);
  if (!view) return {};
  return {floats(view), static_cast<size_t>(config.rope_dimensions / 2)};
}

}  // namespace

Forward::Forward(const ModelConfig& config, const Weights& weights, ThreadPool& pool)
    : config_(config),
      weights_(weights),
      pool_(pool),
      rope_(config.rope_dimensions, config.rope_base, config.rope_position_scale,
            rope_factors(config, weights)),
      activations_(weights.activations()),
      experts_(config, weights, pool) {}

std::span<const float> Forward::run(std::span<const uint32_t> tokens, KvCache& cache,
                                    int64_t wanted) {
  const ForwardPart part = {tokens, &cache, wanted};
  return run({&part, 1});
}

std::span<const float> Forward::run(std::span<const ForwardPart> parts) {
  read(parts);
  int64_t wanted = 0;
  for (const ForwardPart& part : parts) wanted += part.wanted;
  return logits(0, wanted);
}

void Forward::read(std::span<const ForwardPart> parts) {
  int64_t count = 0, wanted = 0;
  for (const ForwardPart& part : parts)
    count += static_cast<int64_t>(part.tokens.size()), wanted += part.wanted;
  resize(count);
  embed(parts);
  prepare_angles(count);
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    normalize(floats(weights_.of(Role::kAttnNorm, layer)), count);
    attention(layer, parts, count);
    add_to_residual(count);
    normalize(floats(weights_.of(Role::kFfnNorm, layer)), count);
    feed_forward(layer, count);
    add_to_residual(count);
    if (observer_ != nullptr) observer_->on_layer(layer, {residual_.data(), count, config_.hidden});
  }
  for (const ForwardPart& part : parts)
    part.cache->set_length(part.cache->length() + static_cast<int64_t>(part.tokens.size()));
  if (wanted == 0) return;
  move_wanted_to_front(parts);
  normalize(floats(weights_.of(Role::kOutputNorm)), wanted);
}

std::span<const float> Forward::logits(int64_t begin, int64_t count) {
  if (count == 0) return {};
  const auto size = static_cast<size_t>(count * weights_.vocab_size());
  if (logits_.size() < size) logits_.resize(size);
  prepare_input({Role::kOutput}, 0, normalized_.data() + begin * config_.hidden, count,
                config_.hidden);
  matmul(weights_.of(Role::kOutput), activations_, logits_.data(), pool_);
  return {logits_.data(), size};
}

uint64_t Forward::buffer_bytes() const {
  uint64_t floats = 0;
  for (const auto* buffer : {&residual_, &normalized_, &q_, &k_, &v_, &attended_, &gate_, &up_,
                             &projected_, &logits_, &cos_sin_})
    floats += buffer->size();
  return floats * sizeof(float) + activations_.buffer_bytes() + experts_.buffer_bytes();
}

void Forward::resize(int64_t tokens) {
  const auto grow = [](std::vector<float>& buffer, int64_t size) {
    if (buffer.size() < static_cast<size_t>(size)) buffer.resize(static_cast<size_t>(size));
  };
  for (auto* buffer : {&residual_, &normalized_, &projected_})
    grow(*buffer, tokens * config_.hidden);
  for (auto* buffer : {&q_, &attended_}) grow(*buffer, tokens * config_.q_width());
  for (auto* buffer : {&k_, &v_}) grow(*buffer, tokens * config_.kv_width());
  if (config_.experts == 0)
    for (auto* buffer : {&gate_, &up_}) grow(*buffer, tokens * config_.ffn);
  grow(cos_sin_, tokens * config_.rope_dimensions);
}

void Forward::embed(std::span<const ForwardPart> parts) {
  const TensorView& table = weights_.of(Role::kTokenEmbd);
  float* row = residual_.data();
  places_.clear();
  for (const ForwardPart& part : parts) {
    int64_t position = part.cache->length();
    for (const uint32_t token : part.tokens) {
      codec(table.type).decode(table.row(token), config_.hidden, row);
      places_.push_back({part.cache, position++});
      row += config_.hidden;
    }
  }
}

void Forward::prepare_angles(int64_t tokens) {
  pool_.run(tokens, 16, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      rope_.angles(places_[static_cast<size_t>(t)].position,
                   cos_sin_.data() + t * config_.rope_dimensions);
    }
  });
}

void Forward::observe(Observer* observer) {
  observer_ = observer;
  experts_.observe(observer);
}

void Forward::prepare_input(std::initializer_list<Role> roles, int64_t layer, const float* x,
                            int64_t tokens, int64_t columns) {
  if (observer_ != nullptr)
    observer_->on_input({roles.begin(), roles.size()}, layer, 0, {x, tokens, columns});
  activations_.assign(x, tokens, columns);
}

void Forward::normalize(const float* weight, int64_t tokens) {
  pool_.run(tokens, 8, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      operations().rms_norm(residual_.data() + t * config_.hidden, weight, config_.rms_epsilon,
                            config_.hidden, normalized_.data() + t * config_.hidden);
    }
  });
}

void Forward::attention(int64_t layer, std::span<const ForwardPart> parts, int64_t tokens) {
  prepare_input({Role::kAttnQ, Role::kAttnK, Role::kAttnV}, layer, normalized_.data(), tokens,
                config_.hidden);
  const Product products[] = {{&weights_.of(Role::kAttnQ, layer), q_.data()},
                              {&weights_.of(Role::kAttnK, layer), k_.data()},
                              {&weights_.of(Role::kAttnV, layer), v_.data()}};
  matmul(products, activations_, pool_);
  store_rotated(layer, tokens);
  attend(layer, parts);
  prepare_input({Role::kAttnOutput}, layer, attended_.data(), tokens, config_.q_width());
  matmul(weights_.of(Role::kAttnOutput, layer), activations_, projected_.data(), pool_);
}

void Forward::store_rotated(int64_t layer, int64_t tokens) {
  const int64_t width = config_.kv_width();
  pool_.run(tokens, 8, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      const float* angles = cos_sin_.data() + t * config_.rope_dimensions;
      float* q = q_.data() + t * config_.q_width();
      float* k = k_.data() + t * width;
      Rope::turn(angles, config_.rope_dimensions, q, config_.heads, config_.head_dim);
      Rope::turn(angles, config_.rope_dimensions, k, config_.kv_heads, config_.head_dim);
      const Place& place = places_[static_cast<size_t>(t)];
      place.cache->store(layer, place.position, k, v_.data() + t * width);
    }
  });
}

void Forward::attend(int64_t layer, std::span<const ForwardPart> parts) {
  const float scale = 1.0f / std::sqrt(static_cast<float>(config_.head_dim));
  attended_parts_.clear();
  int64_t row = 0;
  for (const auto& [tokens, cache, wanted] : parts) {
    const auto count = static_cast<int64_t>(tokens.size());
    attended_parts_.push_back({q_.data() + row * config_.q_width(), cache->keys(layer),
                               cache->values(layer), cache->layout(),
                               attended_.data() + row * config_.q_width(), count, cache->length(),
                               config_.heads, scale});
    row += count;
  }
  nibble::attend(attended_parts_, pool_);
}

void Forward::feed_forward(int64_t layer, int64_t tokens) {
  if (config_.experts > 0)
    return experts_.feed_forward(layer, normalized_.data(), tokens, projected_.data());
  prepare_input({Role::kFfnGate, Role::kFfnUp}, layer, normalized_.data(), tokens, config_.hidden);
  const Product products[] = {{&weights_.of(Role::kFfnGate, layer), gate_.data()},
                              {&weights_.of(Role::kFfnUp, layer), up_.data()}};
  matmul(products, activations_, pool_);
  pool_.run(tokens, 4, [&](int64_t begin, int64_t end, int) {
    operations().silu_multiply(gate_.data() + begin * config_.ffn, up_.data() + begin * config_.ffn,
                               (end - begin) * config_.ffn);
  });
  prepare_input({Role::kFfnDown}, layer, gate_.data(), tokens, config_.ffn);
  matmul(weights_.of(Role::kFfnDown, layer), activations_, projected_.data(), pool_);
}

void Forward::add_to_residual(int64_t tokens) {
  operations().add(residual_.data(), projected_.data(), tokens * config_.hidden);
}

void Forward::move_wanted_to_front(std::span<const ForwardPart> parts) {
  int64_t from = 0, to = 0;
  for (const ForwardPart& part : parts) {
    from += static_cast<int64_t>(part.tokens.size());
    if (from - part.wanted != to) {
      std::copy_n(residual_.data() + (from - part.wanted) * config_.hidden,
                  part.wanted * config_.hidden, residual_.data() + to * config_.hidden);
    }
    to += part.wanted;
  }
}

}  // namespace nibble
