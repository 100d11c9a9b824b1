// A handful of measurements in numbers.
#pragma once

#include <cstdint>
#include <span>

namespace nibble {

struct Summary {
  double mean = 0;
  double deviation = 0;  // standard deviation of a sample (n - 1); 0 for one value
  double median = 0;     // of an even number of values the mean of the two in the middle
};

Summary summarize(std::span<const double> values);  // at least one

// How many standard errors each half of a 95 % confidence interval has: the 97.5th percentile of
// Student's t distribution, within 1e-4. `degrees` of freedom below 1 give NaN.
double students_t_95(int64_t degrees);

// The ratio of two samples' geometric means with its 95 % confidence interval: Welch's t-test of
// their logarithms, which lets the two spread differently. All values are above 0; with one value
// on either side the interval is NaN.
struct RatioInterval {
  double ratio = 0;
  double low = 0;
  double high = 0;
};

RatioInterval ratio_of_means_95(std::span<const double> over, std::span<const double> under);

}  // namespace nibble
