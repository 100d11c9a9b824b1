#include "base/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace nibble {
namespace {

Summary summarize_logarithms(std::span<const double> values) {
  std::vector<double> logarithms(values.size());
  std::ranges::transform(values, logarithms.begin(), [](double value) { return std::log(value); });
  return summarize(logarithms);
}

}  // namespace

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

RatioInterval ratio_of_means_95(std::span<const double> over, std::span<const double> under) {
  const Summary a = summarize_logarithms(over), b = summarize_logarithms(under);
  const auto a_count = static_cast<double>(over.size()),
             b_count = static_cast<double>(under.size());
  const double difference = a.mean - b.mean;
  RatioInterval interval{std::exp(difference), NAN, NAN};
  if (std::min(over.size(), under.size()) < 2) return interval;
  const double a_variance = a.deviation * a.deviation / a_count;
  const double b_variance = b.deviation * b.deviation / b_count;
  const double variance = a_variance + b_variance;
  double half = 0;
  if (variance > 0) {
    // Welch and Satterthwaite: never below the smaller sample's degrees of freedom.
    const double degrees =
        variance * variance /
        (a_variance * a_variance / (a_count - 1) + b_variance * b_variance / (b_count - 1));
    half = students_t_95(std::max<int64_t>(1, std::llround(std::floor(degrees + 1e-9)))) *
           std::sqrt(variance);
  }
  interval.low = std::exp(difference - half);
  interval.high = std::exp(difference + half);
  return interval;
}

}  // namespace nibble
