#include "base/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace nibble {

Summary summarize(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  Summary summary;
  summary.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) squares += (value - summary.mean) * (value - summary.mean);
  if (values.size() > 1) summary.deviation = std::sqrt(squares / (count - 1));
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  summary.median = (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]) / 2;
  return summary;
}

double students_t_95(int64_t degrees) {
  constexpr std::array kFew = {12.70620, 4.30265, 3.18245, 2.77645, 2.57058,
                               2.44691,  2.36462, 2.30600, 2.26216};
  if (degrees < 1) return std::numeric_limits<double>::quiet_NaN();
  if (degrees <= static_cast<int64_t>(kFew.size())) return kFew[static_cast<size_t>(degrees - 1)];
  // In powers of 1 / degrees around the normal distribution's (Abramowitz and Stegun 26.7.5).
  constexpr double z = 1.959963985, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
  const double x = 1 / static_cast<double>(degrees);
  return z + x * ((z3 + z) / 4 + x * ((5 * z5 + 16 * z3 + 3 * z) / 96 +
                                      x * (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / 384));
}

}  // namespace nibble
