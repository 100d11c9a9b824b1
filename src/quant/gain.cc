#include "quant/gain.h"

#include "codec/codec.h"

namespace nibble {
namespace {

constexpr int kLanes = 16;

// Sums of w x^2 and w x y.
struct Products {
  double xx = 0;
  double xy = 0;
};

template <bool has_weights>
Products products(const float* x, const float* y, const float* w, int64_t n) {
  float xx[kLanes] = {}, xy[kLanes] = {};
  for (int64_t i = 0; i < n; i += kLanes) {  // n is a multiple of 32, as blocks are
    for (int k = 0; k < kLanes; ++k) {
      const float weighted = has_weights ? w[i + k] * x[i + k] : x[i + k];
      xx[k] += weighted * x[i + k];
      xy[k] += weighted * y[i + k];
    }
  }
  Products sum;
  for (int k = 0; k < kLanes; ++k) sum.xx += xx[k], sum.xy += xy[k];
  return sum;
}

}  // namespace

bool has_gain(DType type) {
  return codec(type).steps.scale != nullptr && bits_per_weight(type) < 6;
}

void scale_row(DType type, double factor, int64_t n, std::byte* row) {
  constexpr double kMost = 2;
  if (!(factor > 1 && factor < kMost)) return;
  const auto scale = codec(type).steps.scale;
  const int64_t blocks = n / block_weights(type);
  for (int64_t b = 0; b < blocks; ++b)
    scale(row + b * block_bytes(type), static_cast<float>(factor));
}

void GainRestorer::restore(DType type, const float* x, const float* importance, int64_t n,
                           std::byte* row) {
  decoded_.resize(static_cast<size_t>(n));
  codec(type).decode(row, n, decoded_.data());
  const Products sum = importance == nullptr ? products<false>(x, decoded_.data(), nullptr, n)
                                             : products<true>(x, decoded_.data(), importance, n);
  if (sum.xy > 0) scale_row(type, sum.xx / sum.xy, n, row);
}

}  // namespace nibble
