#include "model/forward.h"

#include <algorithm>

#include "codec/codec.h"
#include "kernel/operations.h"

namespace nibble {

Forward::Forward(const ModelConfig& config, const Weights& weights, ThreadPool& pool)
    : config_(config),
      weights_(weights),
      products_(weights, pool),
      norms_(config, weights, pool),
      attention_(config, weights, products_, pool),
      feed_forward_(config, weights, products_, pool),
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
  attention_.begin(parts, places_);
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    run_layer(layer, count);
    if (observer_ != nullptr) observer_->on_layer(layer, {residual_.data(), count, config_.hidden});
  }
  for (const ForwardPart& part : parts)
    part.cache->set_length(part.cache->length() + static_cast<int64_t>(part.tokens.size()));
  if (wanted == 0) return;
  move_wanted_to_front(parts);
  if (!weights_.of(Role::kOutputNorm) && !config_.arch->norms_lack_weights) {
    std::copy_n(residual_.data(), wanted * config_.hidden, normalized_.data());
  } else {
    norms_.normalize(Role::kOutputNorm, 0, residual_.data(), wanted, config_.hidden,
                     normalized_.data());
  }
}

void Forward::run_layer(int64_t layer, int64_t tokens) {
  const float* x = input_of(Role::kAttnNorm, layer, tokens, normalized_);
  const bool has_second = static_cast<bool>(weights_.of(Role::kAttnNorm2, layer));
  const float* attended = has_second ? input_of(Role::kAttnNorm2, layer, tokens, second_) : x;
  attention_.run(layer, attended, projected_.data());
  const Role ffn_norm = config_.arch->ffn_norm;
  finish_part(ffn_norm == Role::kAttnPostNorm ? Role::kFfnNorm : Role::kAttnPostNorm, layer,
              tokens);
  if (config_.is_parallel) {
    if (weights_.of(ffn_norm, layer)) x = input_of(ffn_norm, layer, tokens, second_);
    add_to_residual(Role::kAttnOutputNorm, layer, tokens);
  } else {
    add_to_residual(Role::kAttnOutputNorm, layer, tokens);
    x = input_of(ffn_norm, layer, tokens, normalized_);
  }
  feed_forward(layer, x, tokens);
  finish_part(Role::kFfnPostNorm, layer, tokens);
  add_to_residual(Role::kLayerOutputNorm, layer, tokens);
}

std::span<const float> Forward::logits(int64_t begin, int64_t count) {
  if (count == 0) return {};
  const auto size = static_cast<size_t>(count * weights_.vocab_size());
  if (logits_.size() < size) logits_.resize(size);
  products_.multiply({{Role::kOutput, logits_.data()}}, 0,
                     normalized_.data() + begin * config_.hidden, count, config_.hidden);
  adjust_logits(static_cast<int64_t>(size));
  return {logits_.data(), size};
}

uint64_t Forward::buffer_bytes() const {
  uint64_t floats = 0;
  for (const auto* buffer : {&residual_, &normalized_, &second_, &projected_, &logits_})
    floats += buffer->size();
  return floats * sizeof(float) + products_.buffer_bytes() + attention_.buffer_bytes() +
         feed_forward_.buffer_bytes() + experts_.buffer_bytes();
}

void Forward::resize(int64_t tokens) {
  for (auto* buffer : {&residual_, &normalized_, &projected_})
    grow(*buffer, tokens * config_.hidden);
}

void Forward::embed(std::span<const ForwardPart> parts) {
  const TensorView& table = weights_.of(Role::kTokenEmbd);
  const float* learned = weights_.vector(Role::kPositionEmbd);
  const float* type = weights_.vector(Role::kTokenTypes);  // all tokens are of the first
  float* row = residual_.data();
  places_.clear();
  for (const ForwardPart& part : parts) {
    int64_t position = part.cache->length();
    for (const uint32_t token : part.tokens) {
      codec(table.type).decode(table.row(token), config_.hidden, row);
      if (learned != nullptr)
        operations().add(row, learned + position * config_.hidden, config_.hidden);
      if (type != nullptr) operations().add(row, type, config_.hidden);
      places_.push_back({part.cache, position++});
      row += config_.hidden;
    }
  }
  scale_embedding(static_cast<int64_t>(places_.size()));
}

void Forward::scale_embedding(int64_t tokens) {
  if (config_.embedding_scale != 1.0f) {
    for (int64_t i = 0; i < tokens * config_.hidden; ++i)
      residual_[static_cast<size_t>(i)] *= config_.embedding_scale;
  }
  if (weights_.of(Role::kTokenEmbdNorm)) {
    norms_.normalize(Role::kTokenEmbdNorm, 0, residual_.data(), tokens, config_.hidden,
                     residual_.data());
  }
}

void Forward::observe(Observer* observer) {
  observer_ = observer;
  products_.observe(observer);
  experts_.observe(observer);
  attention_.observe(observer);
}

const float* Forward::input_of(Role norm, int64_t layer, int64_t tokens,
                               std::vector<float>& buffer) {
  if (!weights_.of(norm, layer) && !config_.arch->norms_lack_weights) return residual_.data();
  grow(buffer, tokens * config_.hidden);
  norms_.normalize(norm, layer, residual_.data(), tokens, config_.hidden, buffer.data());
  return buffer.data();
}

void Forward::feed_forward(int64_t layer, const float* x, int64_t tokens) {
  if (!config_.has_experts(layer)) return feed_forward_.run(layer, x, tokens, projected_.data());
  experts_.feed_forward(layer, x, tokens, projected_.data());
  feed_forward_.add_shared(layer, x, tokens, projected_.data());
}

void Forward::finish_part(Role norm, int64_t layer, int64_t tokens) {
  if (weights_.of(norm, layer)) {
    norms_.normalize(norm, layer, projected_.data(), tokens, config_.hidden, projected_.data());
  }
  if (config_.residual_scale == 1.0f) return;
  for (int64_t i = 0; i < tokens * config_.hidden; ++i)
    projected_[static_cast<size_t>(i)] *= config_.residual_scale;
}

void Forward::add_to_residual(Role norm, int64_t layer, int64_t tokens) {
  operations().add(residual_.data(), projected_.data(), tokens * config_.hidden);
  if (weights_.of(norm, layer))
    norms_.normalize(norm, layer, residual_.data(), tokens, config_.hidden, residual_.data());
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

void Forward::adjust_logits(int64_t count) {
  if (config_.logit_scale != 1.0f) {
    for (int64_t i = 0; i < count; ++i) logits_[static_cast<size_t>(i)] *= config_.logit_scale;
  }
  if (config_.logit_softcap > 0)
    operations().soft_cap(logits_.data(), count, config_.logit_softcap);
}

}  // namespace nibble
