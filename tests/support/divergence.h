// How far logits are from others.
#pragma once

#include <cmath>
#include <span>
#include <vector>

namespace nibble {

inline std::vector<double> log_probabilities(std::span<const float> logits) {
  double sum = 0;
  for (const float l : logits) sum += std::exp(static_cast<double>(l));
  std::vector<double> result;
  for (const float l : logits) result.push_back(l - std::log(sum));
  return result;
}

// Mean of KL(reference || found) over the tokens, each of which has `vocabulary` logits.
inline double divergence(std::span<const float> reference, std::span<const float> found,
                         size_t vocabulary) {
  double total = 0;
  for (size_t at = 0; at < found.size(); at += vocabulary) {
    const auto p = log_probabilities(reference.subspan(at, vocabulary));
    const auto q = log_probabilities(found.subspan(at, vocabulary));
    for (size_t i = 0; i < vocabulary; ++i) total += std::exp(p[i]) * (p[i] - q[i]);
  }
  return total * static_cast<double>(vocabulary) / static_cast<double>(found.size());
}

}  // namespace nibble
