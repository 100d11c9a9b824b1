#include "infer/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace nibble {
namespace {

constexpr float kImpossible = -std::numeric_limits<float>::infinity();

void require(bool is_valid, const char* name, double value, const char* range) {
  if (is_valid) return;
  fail(ErrorCode::kUsage, "{} is {}, expected {}", name, value, range);
}

}  // namespace

Sampler::Sampler(const SamplerOptions& options) : options_(options), random_(options.seed) {
  const auto& o = options_;  // comparisons are written so that NaN fails them
  require(o.temperature >= 0 && std::isfinite(o.temperature), "temperature", o.temperature,
          "0 or more");
  require(o.top_k >= 0, "top_k", o.top_k, "0 (off) or more");
  require(o.top_p > 0 && o.top_p <= 1, "top_p", o.top_p, "more than 0, at most 1 (off)");
  require(o.min_p >= 0 && o.min_p <= 1, "min_p", o.min_p, "0 (off) to 1");
  require(o.repetition_penalty > 0 && std::isfinite(o.repetition_penalty), "repetition_penalty",
          o.repetition_penalty, "more than 0 (1 is off)");
  require(o.repetition_window >= 0, "repetition_window", o.repetition_window, "0 or more");
}

uint32_t Sampler::sample(std::span<const float> logits) {
  collect(logits);
  penalize_recent();
  if (options_.temperature == 0) return best();
  keep_top_k();
  keep_top_p();
  keep_min_p();
  weigh(options_.temperature);
  return draw();
}

void Sampler::accept(uint32_t token) {
  const auto window = static_cast<size_t>(options_.repetition_window);
  if (recent_.size() < window) {
    recent_.push_back(token);
  } else if (window > 0) {
    recent_[oldest_] = token;
    oldest_ = (oldest_ + 1) % window;
  }
}

// All tokens at first, at the place of their id; penalize_recent relies on that.
void Sampler::collect(std::span<const float> logits) {
  candidates_.clear();
  bool any = false;
  for (const float logit : logits) {
    const auto id = static_cast<uint32_t>(candidates_.size());
    if (std::isnan(logit) || logit == -kImpossible) {
      fail(ErrorCode::kInvalidFile, "the model computes {} for token {}; its weights are damaged",
           logit, id);
    }
    any = any || logit != kImpossible;
    candidates_.push_back({logit, id, 0});
  }
  if (!any) fail(ErrorCode::kUsage, "there is no token to choose from");
}

void Sampler::penalize_recent() {
  if (options_.repetition_penalty == 1) return;
  std::vector<uint32_t> tokens = recent_;  // each counts once
  std::ranges::sort(tokens);
  tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
  for (const uint32_t token : tokens) {
    if (token >= candidates_.size()) continue;
    float& logit = candidates_[token].logit;
    logit = logit > 0 ? logit / options_.repetition_penalty : logit * options_.repetition_penalty;
  }
}

uint32_t Sampler::best() const {
  // max_element gives the first of equals, which has the lowest id.
  return std::ranges::max_element(candidates_, {}, &Candidate::logit)->id;
}

void Sampler::keep_top_k() {
  const auto larger = [](const Candidate& a, const Candidate& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
  };
  const auto k = static_cast<size_t>(options_.top_k);
  const size_t count = k == 0 ? candidates_.size() : std::min(k, candidates_.size());
  std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<ptrdiff_t>(count),
                    candidates_.end(), larger);
  candidates_.resize(count);
}

void Sampler::keep_top_p() {
  if (options_.top_p == 1) return;
  weigh(1);
  double total = 0;
  for (const Candidate& candidate : candidates_) total += candidate.weight;
  double sum = 0;
  size_t count = 0;
  while (count < candidates_.size() && sum < options_.top_p * total) {
    sum += candidates_[count++].weight;
  }
  candidates_.resize(count);
}

void Sampler::keep_min_p() {
  if (options_.min_p == 0) return;
  weigh(1);
  const auto end = std::ranges::find_if(
      candidates_, [&](const Candidate& candidate) { return candidate.weight < options_.min_p; });
  candidates_.erase(end, candidates_.end());
}

// The largest gets weight 1.
void Sampler::weigh(double temperature) {
  const double largest = candidates_.front().logit;
  for (Candidate& candidate : candidates_) {
    candidate.weight = std::exp((candidate.logit - largest) / temperature);
  }
}

uint32_t Sampler::draw() {
  double total = 0;
  for (const Candidate& candidate : candidates_) total += candidate.weight;
  double left = random_.uniform() * total;
  for (const Candidate& candidate : candidates_) {
    left -= candidate.weight;
    if (left < 0) return candidate.id;
  }
  return candidates_.front().id;  // rounding left a rest: its chance is below 2^-40
}

}  // namespace nibble
