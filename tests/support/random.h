// Numbers to test arithmetic with, the same on every standard library.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace nibble {

// Evenly spread over [-spread, spread].
inline std::vector<float> random_floats(size_t count, float spread, uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<float> values(count);
  for (float& value : values)
    value = spread * (static_cast<float>(engine() % 20001) / 10000.0f - 1.0f);
  return values;
}

// As weights are: normal, with that standard deviation (sums of twelve even numbers).
inline std::vector<float> gaussian(size_t count, float deviation, uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<float> values(count);
  for (float& value : values) {
    float sum = -6.0f;
    for (int k = 0; k < 12; ++k) sum += static_cast<float>(engine() % 65536) / 65536.0f;
    value = deviation * sum;
  }
  return values;
}

}  // namespace nibble
