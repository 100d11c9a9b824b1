#include "kernel/hadamard.h"

#include <cmath>

namespace nibble {

void hadamard(float* x, int64_t n) {
  const int64_t block = n & -n;
  for (int64_t step = 1; step < block; step *= 2) {
    for (int64_t i = 0; i < n; i += 2 * step) {
      for (int64_t k = i; k < i + step; ++k) {
        const float a = x[k];
        const float b = x[k + step];
        x[k] = a + b;
        x[k + step] = a - b;
      }
    }
  }
  const float scale = 1.0f / std::sqrt(static_cast<float>(block));
  for (int64_t i = 0; i < n; ++i) x[i] *= scale;
}

}  // namespace nibble
