#include "kernel/rope.h"

#include <cmath>

namespace nibble {

Rope::Rope(int64_t dimensions, double base, double position_scale, std::span<const float> factors,
           RopePairs pairs, float magnitude)
    : pairs_(pairs), magnitude_(magnitude), frequencies_(static_cast<size_t>(dimensions / 2)) {
  for (size_t i = 0; i < frequencies_.size(); ++i) {
    const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(dimensions);
    const double factor = factors.empty() ? 1.0 : factors[i];
    frequencies_[i] = static_cast<float>(position_scale * std::pow(base, exponent) / factor);
  }
}

void Rope::angles(int64_t position, float* cos_sin) const { angles(position, magnitude_, cos_sin); }

void Rope::angles_of_shift(int64_t positions, float* cos_sin) const {
  angles(positions, 1.0, cos_sin);
}

void Rope::angles(int64_t position, double magnitude, float* cos_sin) const {
  for (size_t i = 0; i < frequencies_.size(); ++i) {
    const double angle = static_cast<double>(position) * frequencies_[i];
    cos_sin[2 * i] = static_cast<float>(magnitude * std::cos(angle));
    cos_sin[2 * i + 1] = static_cast<float>(magnitude * std::sin(angle));
  }
}

void Rope::turn(const float* cos_sin, int64_t dimensions, float* x, int64_t heads, int64_t head_dim,
                RopePairs pairs) {
  const bool halves = pairs == RopePairs::kHalves;
  const int64_t step = halves ? 1 : 2, apart = halves ? dimensions / 2 : 1;
  for (int64_t head = 0; head < heads; ++head, x += head_dim) {
    for (int64_t i = 0; i < dimensions / 2; ++i) {
      const float cosine = cos_sin[2 * i];
      const float sine = cos_sin[2 * i + 1];
      float& first = x[step * i];
      float& second = x[step * i + apart];
      const float a = first;
      const float b = second;
      first = a * cosine - b * sine;
      second = a * sine + b * cosine;
    }
  }
}

}  // namespace nibble
