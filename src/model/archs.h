// The list of architectures.
#pragma once

#include <array>

#include "model/arch/llama.h"

namespace nibble {

inline constexpr std::array kArchs = {&kLlama};

}  // namespace nibble
