// A handful of measurements in numbers.
#pragma once

#include <span>

namespace nibble {

struct Summary {
  double mean = 0;
  double deviation = 0;  // standard deviation of a sample (n - 1); 0 for one value
  double median = 0;     // of an even number of values the mean of the two in the middle
};

Summary summarize(std::span<const double> values);  // at least one

}  // namespace nibble
