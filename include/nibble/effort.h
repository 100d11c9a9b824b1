// Effort: how much time encoding may take for a lower error.
#pragma once

#include <cstdint>

namespace nibble {

enum class Effort : uint8_t {
  kFast,     // few candidates for each scale: the error of the reference encoder, or less
  kDefault,  // what quantize uses
  kBest,     // many candidates: the last fractions of a percent
};

}  // namespace nibble
