#include "eval/another_text.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/statistics.h"

namespace nibble {
namespace {

constexpr size_t kStretches = 12;

// Means of the stretches, as alike in length as can be.
std::vector<double> stretches_of(std::span<const double> windows) {
  const size_t count = std::min(kStretches, windows.size());
  std::vector<double> means;
  for (size_t i = 0; i < count; ++i) {
    const size_t begin = i * windows.size() / count, end = (i + 1) * windows.size() / count;
    means.push_back(summarize(windows.subspan(begin, end - begin)).mean);
  }
  return means;
}

double half_width(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  return students_t_95(static_cast<int64_t>(values.size()) - 1) * summarize(values).deviation /
         std::sqrt(count);
}

}  // namespace

double bound_on_another_text(std::span<const double> windows, Side side) {
  if (windows.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const double half =
      std::sqrt(2.0) * std::max(half_width(windows), half_width(stretches_of(windows)));
  return summarize(windows).mean + (side == Side::kAbove ? half : -half);
}

}  // namespace nibble
