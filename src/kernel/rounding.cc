#include "kernel/rounding.h"

#include <algorithm>
#include <cmath>

#include "base/numeric.h"
#include "kernel/operations.h"

namespace nibble {
namespace {

constexpr int64_t kWide = 256;

void fill_sums(const int8_t* q, float d, float* s) {
  int sum = 0;
  for (int i = 0; i < 16; ++i) sum += q[i];
  *s = d * static_cast<float>(sum);
}

void round_in_f16_groups(const float* x, int64_t n, int8_t* q, float* d, float* s) {
  operations().quantize(x, n, q, d, s);
  for (int64_t i = 0; i < n; i += 32, q += 32, ++d, s += 2) {
    *d = f32_from_f16(f16_from_f32(*d));
    fill_sums(q, *d, s);
    fill_sums(q + 16, *d, s + 1);
  }
}

// Up to 256 activations, the rest zeros.
void round_wide_group(const float* x, int64_t n, int8_t* q, float* d, float* s) {
  const float largest =
      *std::max_element(x, x + n, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
  const float inverse = largest != 0.0f ? -127.0f / largest : 0.0f;
  std::fill_n(q, kWide, int8_t{0});
  for (int64_t i = 0; i < n; ++i) {
    const float rounded = std::nearbyint(x[i] * inverse);
    q[i] = static_cast<int8_t>(std::fmin(std::fmax(rounded, -127.0f), 127.0f));  // NaN: -127
  }
  std::fill_n(d, kWide / 32, largest != 0.0f ? 1.0f / inverse : 0.0f);
  for (int g = 0; g < kWide / 16; ++g) fill_sums(q + 16 * g, *d, s + g);
}

}  // namespace

Rounding rounding_for(DType type, Activations activations) {
  if (activations == Activations::kNibble) return Rounding::kGroupsOf32;
  return block_weights(type) == kWide ? Rounding::kGroupsOf256 : Rounding::kF16GroupsOf32;
}

void round_row(Rounding rounding, const float* x, int64_t n, int8_t* q, float* d,
               float* s) noexcept {
  switch (rounding) {
    case Rounding::kGroupsOf32:
      return operations().quantize(x, n, q, d, s);
    case Rounding::kF16GroupsOf32:
      return round_in_f16_groups(x, n, q, d, s);
    case Rounding::kGroupsOf256:
      for (int64_t i = 0; i < n; i += kWide)
        round_wide_group(x + i, std::min(n - i, kWide), q + i, d + i / 32, s + i / 16);
  }
}

}  // namespace nibble
