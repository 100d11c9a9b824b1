#include "eval/windowed_mean.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/statistics.h"

namespace nibble {

void WindowedMean::end_window() {
  const double mean =
      (sum_ - window_begin_sum_) / static_cast<double>(count_ - window_begin_count_);
  window_begin_sum_ = sum_;
  window_begin_count_ = count_;
  ++windows_;
  const double difference = mean - window_mean_;
  window_mean_ += difference / static_cast<double>(windows_);
  window_squares_ += difference * (mean - window_mean_);
}

double WindowedMean::variance() const {
  if (count_ < 2) return 0;
  return std::max(mean_square() - mean() * mean(), 0.0) / static_cast<double>(count_ - 1);
}

double WindowedMean::window_variance() const {
  if (windows_ < 2) return std::numeric_limits<double>::quiet_NaN();
  const auto windows = static_cast<double>(windows_);
  return window_squares_ / (windows - 1) / windows;
}

Estimate WindowedMean::estimate() const {
  return make_estimate(mean(), variance(), window_variance(), windows_);
}

Estimate make_estimate(double value, double variance, double window_variance, int64_t windows) {
  const double half_width = students_t_95(windows - 1) * std::sqrt(window_variance);
  return {value, std::sqrt(variance), value - half_width, value + half_width};
}

}  // namespace nibble
