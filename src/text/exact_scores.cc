#include "text/exact_scores.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace nibble {
namespace {

// The nearest double to 10^exponent, from -308 to 308.
double power_of_ten(int exponent) {
  std::array<char, 8> text{'1', 'e'};
  const auto end = std::to_chars(text.data() + 2, text.data() + text.size(), exponent).ptr;
  double power = 0;
  std::from_chars(text.data(), end, power);
  return power;
}

}  // namespace

double score_as_read(double score) {
  std::array<char, 32> text{};  // "-1.7345e+02"
  const auto end = std::to_chars(text.data(), text.data() + text.size(), std::abs(score),
                                 std::chars_format::scientific)
                       .ptr;
  uint64_t digits = 0;
  int exponent = 0;
  const char* at = text.data();
  for (; at != end && *at != 'e'; ++at) {
    if (*at == '.') continue;
    digits = digits * 10 + static_cast<uint64_t>(*at - '0');
    --exponent;
  }
  int written = 0;
  at += 2;  // "e+" or "e-"
  std::from_chars(at, end, written);
  exponent += 1 + (at[-1] == '-' ? -written : written);
  auto value = static_cast<double>(digits);
  constexpr int kLargest = 308;
  if (exponent < -kLargest) {
    value /= power_of_ten(kLargest);
    exponent += kLargest;
  }
  value = exponent < 0 ? value / power_of_ten(-exponent) : value * power_of_ten(exponent);
  return std::signbit(score) ? -value : value;
}

void set_scores(const std::vector<double>& written, Vocabulary& vocabulary) {
  vocabulary.scores.clear();
  vocabulary.exact_scores.clear();
  bool follows = true;
  for (const double score : written) {
    const auto nearest = static_cast<float>(score);
    vocabulary.scores.push_back(nearest);
    vocabulary.exact_scores.push_back(score_as_read(score));
    follows = follows && score_as_read(nearest) == vocabulary.exact_scores.back();
  }
  if (follows) vocabulary.exact_scores.clear();
}

std::vector<double> scores_of(const Vocabulary& vocabulary) {
  std::vector<double> scores = vocabulary.exact_scores;
  for (size_t id = scores.size(); id < vocabulary.scores.size(); ++id)
    scores.push_back(score_as_read(vocabulary.scores[id]));
  return scores;
}

}  // namespace nibble
