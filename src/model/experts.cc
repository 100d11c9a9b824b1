#include "model/experts.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "codec/codec.h"
#include "kernel/operations.h"

namespace nibble {
namespace {

void grow(std::vector<float>& buffer, int64_t size) {
  if (buffer.size() < static_cast<size_t>(size)) buffer.resize(static_cast<size_t>(size));
}

}  // namespace

void choose_experts(std::span<const float> logits, std::span<ExpertChoice> choices) {
  size_t count = 0;
  for (size_t e = 0; e < logits.size(); ++e) {
    size_t rank = count;
    while (rank > 0 && logits[e] > choices[rank - 1].weight) --rank;
    if (rank == choices.size()) continue;
    count = std::min(count + 1, choices.size());
    for (size_t i = count - 1; i > rank; --i) choices[i] = choices[i - 1];
    choices[rank] = {static_cast<int64_t>(e), logits[e]};
  }
  const double largest = choices[0].weight;
  double sum = 0.0;
  for (const ExpertChoice& choice : choices) sum += std::exp(choice.weight - largest);
  for (ExpertChoice& choice : choices)
    choice.weight = static_cast<float>(std::exp(choice.weight - largest) / sum);
}

void ExpertRows::assign(std::span<const ExpertChoice> choices, int64_t experts) {
  ends_.assign(static_cast<size_t>(experts), 0);
  rows_.resize(choices.size());
  for (const ExpertChoice& choice : choices) ++ends_[static_cast<size_t>(choice.expert)];
  int64_t begin = 0;
  for (int64_t& end : ends_) begin += std::exchange(end, begin);  // where each begins, for now
  for (size_t i = 0; i < choices.size(); ++i)
    rows_[i] = ends_[static_cast<size_t>(choices[i].expert)]++;
}

void Experts::feed_forward(int64_t layer, const float* x, int64_t tokens, float* y) {
  route(layer, x, tokens);
  gather(x, tokens);
  multiply(layer);
  add_up(tokens, y);
}

// Row by row: in another order of sums a choice could depend on the batch.
void Experts::route(int64_t layer, const float* x, int64_t tokens) {
  const TensorView& router = weights_.of(Role::kFfnRouter, layer);
  const auto used = static_cast<size_t>(config_.experts_used);
  choices_.resize(static_cast<size_t>(tokens) * used);
  pool_.run(tokens, 4, [&](int64_t begin, int64_t end, int) {
    std::vector<float> logits(static_cast<size_t>(config_.experts));
    for (int64_t t = begin; t < end; ++t) {
      const ActivationRow row = {x + t * config_.hidden, nullptr, nullptr, nullptr};
      codec(router.type)
          .dots(router.data, router.row_bytes(), router.rows, row, router.columns, logits.data());
      choose_experts(logits, std::span(choices_).subspan(static_cast<size_t>(t) * used, used));
    }
  });
  rows_.assign(choices_, config_.experts);
}

void Experts::gather(const float* x, int64_t tokens) {
  const int64_t rows = tokens * config_.experts_used;
  grow(hidden_, rows * config_.hidden);
  grow(gate_, rows * config_.ffn);
  grow(up_, rows * config_.ffn);
  pool_.run(tokens, 8, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin * config_.experts_used; i < end * config_.experts_used; ++i) {
      std::copy_n(x + i / config_.experts_used * config_.hidden, config_.hidden,
                  hidden_.data() + rows_.rows()[static_cast<size_t>(i)] * config_.hidden);
    }
  });
}

void Experts::multiply(int64_t layer) {
  const auto rows = static_cast<int64_t>(rows_.rows().size());
  const auto multiply_by = [&](Role role, int64_t width, std::vector<float>& y) {
    for (int64_t e = 0; e < config_.experts; ++e) {
      const int64_t begin = activations_.group_begin(e);
      if (activations_.group_rows(e) > 0)
        products_.push_back({&weights_.of(role, layer, e), y.data() + begin * width, e});
    }
  };
  prepare_input({Role::kFfnGateExperts, Role::kFfnUpExperts}, layer, hidden_.data(),
                config_.hidden);
  products_.clear();
  multiply_by(Role::kFfnGateExperts, config_.ffn, gate_);
  multiply_by(Role::kFfnUpExperts, config_.ffn, up_);
  matmul(products_, activations_, pool_);
  pool_.run(rows, 4, [&](int64_t begin, int64_t end, int) {
    operations().silu_multiply(gate_.data() + begin * config_.ffn, up_.data() + begin * config_.ffn,
                               (end - begin) * config_.ffn);
  });
  prepare_input({Role::kFfnDownExperts}, layer, gate_.data(), config_.ffn);
  products_.clear();
  multiply_by(Role::kFfnDownExperts, config_.hidden, hidden_);
  matmul(products_, activations_, pool_);
}

void Experts::prepare_input(std::initializer_list<Role> roles, int64_t layer, const float* x,
                            int64_t columns) {
  const auto rows = static_cast<int64_t>(rows_.rows().size());
  activations_.assign(x, rows, columns, rows_.ends());
  if (observer_ == nullptr) return;
  for (int64_t e = 0; e < config_.experts; ++e) {
    const int64_t begin = activations_.group_begin(e), count = activations_.group_rows(e);
    if (count > 0)
      observer_->on_input({roles.begin(), roles.size()}, layer, e,
                          {x + begin * columns, count, columns});
  }
}

void Experts::add_up(int64_t tokens, float* y) {
  const auto used = static_cast<size_t>(config_.experts_used);
  pool_.run(tokens, 8, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      float* sum = y + t * config_.hidden;
      std::fill_n(sum, config_.hidden, 0.0f);
      for (size_t i = static_cast<size_t>(t) * used; i < static_cast<size_t>(t + 1) * used; ++i) {
        const float* output = hidden_.data() + rows_.rows()[i] * config_.hidden;
        for (int64_t k = 0; k < config_.hidden; ++k) sum[k] += choices_[i].weight * output[k];
      }
    }
  });
}

uint64_t Experts::buffer_bytes() const {
  return (hidden_.size() + gate_.size() + up_.size()) * sizeof(float) + activations_.buffer_bytes();
}

}  // namespace nibble
