#include "kernel/rope.h"

#include <cmath>

namespace nibble {

Rope::Rope(int64_t dimensions, double base, double position_scale, std::span<const float> factors)
    : frequencies_(static_cast<size_t>(dimensions / 2)) {
  for (size_t i = 0; i < frequencies_.size(); ++i) {
    const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(dimensions);
    const double factor = factors.empty() ? 1.0 : factors[i];
    frequencies_[i] = static_cast<float>(position_scale * std::pow(base, exponent) / factor);
  }
}

void Rope::angles(int64_t position, float* cos_sin) const {
  for (size_t i = 0; i < frequencies_.size(); ++i) {
    const double angle = static_cast<double>(position) * frequencies_[i];
    cos_sin[2 * i] = static_cast<float>(std::cos(angle));
    cos_sin[2 * i + 1] = static_cast<float>(std::sin(angle));
  }
}

void Rope::turn(const float* cos_sin, int64_t dimensions, float* x, int64_t heads,
                int64_t head_dim) {
  for (int64_t head = 0; head < heads; ++head, x += head_dim) {
    for (int64_t i = 0; i < dimensions; i += 2) {
      const float cosine = cos_sin[i];
      const float sine = cos_sin[i + 1];
      const float a = x[i];
      const float b = x[i + 1];
      x[i] = a * cosine - b * sine;
      x[i + 1] = a * sine + b * cosine;
    }
  }
}

}  // namespace nibble
