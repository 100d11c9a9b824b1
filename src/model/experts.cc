#include "model/experts.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "codec/codec.h"
#include "kernel/operations.h"
#include "model/batch.h"

namespace nibble {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

// The experts of the largest scores, best first, of equals the first.
void take_largest(std::span<const float> scores, std::span<ExpertChoice> choices) {
  size_t count = 0;
  for (size_t e = 0; e < scores.size(); ++e) {
    size_t rank = count;
    while (rank > 0 && scores[e] > choices[rank - 1].weight) --rank;
    if (rank == choices.size()) continue;
    count = std::min(count + 1, choices.size());
    for (size_t i = count - 1; i > rank; --i) choices[i] = choices[i - 1];
    choices[rank] = {static_cast<int64_t>(e), scores[e]};
  }
}

// Of all experts, in place of their logits.
void make_probabilities(Gating gating, std::span<float> logits) {
  if (gating == Gating::kSigmoid) {
    for (float& x : logits) x = static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(x))));
    return;
  }
  const double largest = *std::ranges::max_element(logits);
  double sum = 0.0;
  for (const float x : logits) sum += std::exp(x - largest);
  for (float& x : logits) x = static_cast<float>(std::exp(x - largest) / sum);
}

// Scores of experts that are not in one of the best groups are lowered below all others. A group is
// as good as its best expert (arXiv:2405.04434), or as its best two where scores have a bias
// (arXiv:2412.19437).
void keep_best_groups(const ModelConfig& config, bool by_two, std::span<float> scores) {
  const auto groups = static_cast<size_t>(config.expert_groups);
  const size_t size = scores.size() / groups;
  std::vector<float> of_groups;
  for (size_t g = 0; g < groups; ++g) {
    std::vector<ExpertChoice> best(std::min<size_t>(by_two ? 2 : 1, size));
    take_largest(scores.subspan(g * size, size), best);
    float sum = 0;
    for (const ExpertChoice& choice : best) sum += choice.weight;
    of_groups.push_back(sum);
  }
  std::vector<ExpertChoice> kept(static_cast<size_t>(config.expert_groups_used));
  take_largest(of_groups, kept);
  for (size_t g = 0; g < groups; ++g) {
    const bool is_kept = std::ranges::any_of(
        kept, [&](const ExpertChoice& choice) { return choice.expert == static_cast<int64_t>(g); });
    if (!is_kept) std::ranges::fill(scores.subspan(g * size, size), kNever);
  }
}

// Each choice is weighed among the experts whose logits come near the best that is left: not
// farther below than a fiftieth of the larger magnitude (SparseMixer, as Phi-3.5-MoE runs it).
void choose_by_sparse_mixer(std::span<float> logits, std::span<ExpertChoice> choices) {
  constexpr double kNear = 0.02;
  for (ExpertChoice& choice : choices) {
    const auto best = std::ranges::max_element(logits);
    const double largest = *best;
    double sum = 0.0;
    for (const double x : logits) {
      if (x == kNever) continue;
      const double magnitude = std::max(std::abs(x), largest);
      if ((largest - x) / magnitude <= kNear) sum += std::exp(x - largest);
    }
    choice = {best - logits.begin(), static_cast<float>(1.0 / sum)};
    *best = kNever;
  }
}

}  // namespace

void choose_experts(std::span<const float> logits, std::span<ExpertChoice> choices) {
  take_largest(logits, choices);
  const double largest = choices[0].weight;
  double sum = 0.0;
  for (const ExpertChoice& choice : choices) sum += std::exp(choice.weight - largest);
  for (ExpertChoice& choice : choices)
    choice.weight = static_cast<float>(std::exp(choice.weight - largest) / sum);
}

void choose_experts_of(const ModelConfig& config, std::span<float> logits, const float* bias,
                       std::span<ExpertChoice> choices) {
  const bool has_groups = config.expert_groups_used < config.expert_groups;
  const bool is_plain = config.gating == Gating::kSoftmax && config.normalizes_experts &&
                        bias == nullptr && !has_groups && config.experts_scale == 1.0f;
  if (is_plain || config.gating == Gating::kSoftmaxOfChosen) return choose_experts(logits, choices);
  if (config.gating == Gating::kSparseMixer) return choose_by_sparse_mixer(logits, choices);
  make_probabilities(config.gating, logits);
  std::vector<float> scores(logits.begin(), logits.end());
  for (size_t e = 0; bias != nullptr && e < scores.size(); ++e) scores[e] += bias[e];
  if (has_groups) keep_best_groups(config, bias != nullptr, scores);
  take_largest(scores, choices);
  double sum = 0.0;
  for (ExpertChoice& choice : choices) {
    choice.weight = logits[static_cast<size_t>(choice.expert)];
    sum += choice.weight;
  }
  const double scale = config.experts_scale / (config.normalizes_experts ? sum : 1.0);
  for (ExpertChoice& choice : choices) choice.weight = static_cast<float>(choice.weight * scale);
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
  const float* bias = weights_.bias(Role::kFfnRouter, layer);
  const auto used = static_cast<size_t>(config_.experts_used);
  choices_.resize(static_cast<size_t>(tokens) * used);
  pool_.run(tokens, 4, [&](int64_t begin, int64_t end, int) {
    std::vector<float> logits(static_cast<size_t>(config_.experts));
    for (int64_t t = begin; t < end; ++t) {
      const ActivationRow row = {x + t * config_.hidden, nullptr, nullptr, nullptr};
      codec(router.type)
          .dots(router.data, router.row_bytes(), router.rows, row, router.columns, logits.data());
      if (bias != nullptr) operations().add(logits.data(), bias, config_.experts);
      choose_experts_of(config_, logits, weights_.bias(Role::kFfnRouterBias, layer),
                        std::span(choices_).subspan(static_cast<size_t>(t) * used, used));
    }
  });
  rows_.assign(choices_, config_.experts);
}

void Experts::gather(const float* x, int64_t tokens) {
  const int64_t rows = tokens * config_.experts_used;
  grow(hidden_, rows * config_.hidden);
  grow(gate_, rows * config_.expert_ffn);
  grow(up_, rows * config_.expert_ffn);
  pool_.run(tokens, 8, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin * config_.experts_used; i < end * config_.experts_used; ++i) {
      std::copy_n(x + i / config_.experts_used * config_.hidden, config_.hidden,
                  hidden_.data() + rows_.rows()[static_cast<size_t>(i)] * config_.hidden);
    }
  });
}

void Experts::multiply(int64_t layer) {
  const auto rows = static_cast<int64_t>(rows_.rows().size());
  prepare_input({Role::kFfnGateExperts, Role::kFfnUpExperts}, layer, hidden_.data(),
                config_.hidden);
  multiply_by({{Role::kFfnGateExperts, gate_.data()}, {Role::kFfnUpExperts, up_.data()}}, layer,
              config_.expert_ffn);
  pool_.run(rows, 4, [&](int64_t begin, int64_t end, int) {
    operations().apply(config_.nonlinearity, gate_.data() + begin * config_.expert_ffn,
                       up_.data() + begin * config_.expert_ffn, (end - begin) * config_.expert_ffn);
  });
  prepare_input({Role::kFfnDownExperts}, layer, gate_.data(), config_.expert_ffn);
  multiply_by({{Role::kFfnDownExperts, hidden_.data()}}, layer, config_.hidden);
}

void Experts::multiply_by(std::initializer_list<RowProducts::Output> outputs, int64_t layer,
                          int64_t width) {
  products_.clear();
  for (const auto& [role, y] : outputs) {
    for (int64_t e = 0; e < config_.experts; ++e) {
      const int64_t begin = activations_.group_begin(e);
      if (activations_.group_rows(e) > 0)
        products_.push_back({&weights_.of(role, layer, e), y + begin * width, e});
    }
  }
  matmul(products_, activations_, pool_);
  for (const auto& [role, y] : outputs) {
    if (weights_.bias(role, layer) == nullptr) continue;
    for (int64_t e = 0; e < config_.experts; ++e) {
      add_bias(weights_.bias(role, layer, e), y + activations_.group_begin(e) * width,
               activations_.group_rows(e), width, pool_);
    }
  }
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
