#include "eval/confidence_sequence.h"

#include <cmath>
#include <limits>

namespace nibble {

// With r = typical / (typical + n) and T = (mean - m) / standard error the Bayes factor is
// sqrt(r) ((1 + T^2 / (n - 1)) / (1 + r T^2 / (n - 1)))^(n / 2). It is 1 / error where the fraction
// is K = (error sqrt(r))^(-2 / n).
double anytime_standard_errors(int64_t count, double error, double typical) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (count < 2) return kInfinity;
  const auto n = static_cast<double>(count);
  const double r = typical / (typical + n);
  const double k = std::pow(error * std::sqrt(r), -2 / n);
  if (k * r >= 1) return kInfinity;
  return std::sqrt((n - 1) * (k - 1) / (1 - k * r));
}

void ConfidenceSequence::add(double value) {
  ++count_;
  const double difference = value - mean_;
  mean_ += difference / static_cast<double>(count_);
  squares_ += difference * (value - mean_);
}

double ConfidenceSequence::half_width() const {
  if (count_ < kLeast) return std::numeric_limits<double>::infinity();
  const auto n = static_cast<double>(count_);
  return anytime_standard_errors(count_, kError, kTypical) * std::sqrt(squares_ / (n - 1) / n);
}

}  // namespace nibble
