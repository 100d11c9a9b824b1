// The mean of values that come window by window, and how sure it is: taken as independent values,
// and taken as windows.
#pragma once

#include <cstdint>
#include <vector>

#include "nibble/divergence.h"

namespace nibble {

class WindowedMean {
 public:
  void add(double value) {
    sum_ += value;
    squares_ += value * value;
    ++count_;
  }
  // Windows have the same number of values each.
  void end_window();

  int64_t count() const { return count_; }
  double mean() const { return sum_ / static_cast<double>(count_); }
  double mean_square() const { return squares_ / static_cast<double>(count_); }
  // Variances of the mean: of independent values, and from the scatter of the windows' means (NaN
  // below two windows).
  double variance() const;
  double window_variance() const;
  int64_t windows() const { return static_cast<int64_t>(window_means_.size()); }
  const std::vector<double>& window_means() const { return window_means_; }

  Estimate estimate() const;

 private:
  double sum_ = 0, squares_ = 0;
  int64_t count_ = 0;
  double window_begin_sum_ = 0;
  int64_t window_begin_count_ = 0;
  std::vector<double> window_means_;
};

// From a mean's two variances.
Estimate make_estimate(double value, double variance, double window_variance, int64_t windows);

// What becomes of an estimate under a function that grows; `slope` is its slope at the value.
template <class Function>
Estimate transformed(const Estimate& estimate, Function&& function, double slope) {
  return {function(estimate.value), slope * estimate.error, function(estimate.low),
          function(estimate.high)};
}

}  // namespace nibble
