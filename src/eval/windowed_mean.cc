#include "eval/windowed_mean.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/statistics.h"

namespace nibble {

void WindowedMean::end_window() {
  window_means_.push_back((sum_ - window_begin_sum_) /
                          static_cast<double>(count_ - window_begin_count_));
  window_begin_sum_ = sum_;
  window_begin_count_ = count_;
}

double WindowedMean::variance() const {
  if (count_ < 2) return 0;
  return std::max(mean_square() - mean() * mean(), 0.0) / static_cast<double>(count_ - 1);
}

double WindowedMean::window_variance() const {
  if (windows() < 2) return std::numeric_limits<double>::quiet_NaN();
  const double deviation = summarize(window_means_).deviation;
  return deviation * deviation / static_cast<double>(windows());
}

Estimate WindowedMean::estimate() const {
  return make_estimate(mean(), variance(), window_variance(), windows());
}

Estimate make_estimate(double value, double variance, double window_variance, int64_t windows) {
  const double half_width = students_t_95(windows - 1) * std::sqrt(window_variance);
  return {value, std::sqrt(variance), value - half_width, value + half_width};
}

}  // namespace nibble
