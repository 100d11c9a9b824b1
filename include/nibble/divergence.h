// How far a model's predictions are from a reference's, as numbers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace nibble {

// A figure measured on a text. `error` is the standard error that llama-perplexity prints: scored
// positions are taken as independent. They are not: those of a window share their text. So [low,
// high], the 95 % confidence interval, comes from how the means of the windows scatter (Student's t
// over the windows); both are NaN with fewer than two windows.
struct Estimate {
  double value = 0;
  double error = 0;
  double low = 0;
  double high = 0;
};

// Of all scored positions; linear between neighbours.
struct Percentiles {
  static constexpr std::array<double, 13> kLevels = {1,    0.999, 0.99, 0.95, 0.9,   0.75, 0.5,
                                                     0.25, 0.1,   0.05, 0.01, 0.001, 0};
  std::array<double, kLevels.size()> values{};

  double maximum() const { return values[0]; }
  double p99() const { return values[2]; }
  double median() const { return values[6]; }
  double minimum() const { return values.back(); }
};

// Beside a compact reference, which has a sample of the unlikely tokens, kl_divergence is an
// unbiased estimate of what all of them would give on the same text. That is `least` at least,
// which is proven (up to rounding, 1e-7), and in [low, high] with a confidence of 95 %.
struct SamplingInterval {
  double least = 0;
  double low = 0;
  double high = 0;
};

// Logarithms are natural; p is the probability of the token that came, a share of 1.
struct Divergence {
  Estimate reference_perplexity;
  double correlation = 0;  // of the two models' logarithms of p, over positions
  Estimate log_ratio;      // ln(perplexity / the reference's)
  Estimate ratio;
  Estimate difference;
  Estimate kl_divergence;  // KL(reference || model), nats a token
  std::optional<SamplingInterval> kl_sampling;
  Percentiles kl_percentiles;
  Estimate delta_p;  // p - the reference's
  Percentiles delta_p_percentiles;
  Estimate rms_delta_p;
  Estimate agreement;  // share of positions with the same likeliest token
};

}  // namespace nibble
