// What stands between the two layers of a feed-forward network.
#pragma once

#include <cstdint>

namespace nibble {

enum class Nonlinearity : uint8_t {
  kSilu,           // x / (1 + e^-x)
  kGelu,           // x / 2 (1 + erf(x / sqrt 2))                               (arXiv:1606.08415)
  kGeluTanh,       // erf approximated: tanh(sqrt(2 / pi) (x + 0.044715 x^3))
  kRelu,           // max(x, 0)
  kReluSquared,    // max(x, 0)^2                                               (arXiv:2109.08668)
  kClampedSwiglu,  // x / (1 + e^-1.702x) of x at most 7, times what gates it, in [-7, 7], plus 1
};

}  // namespace nibble
