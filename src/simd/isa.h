// Which instruction sets this build knows and this machine has, and the one that is used.
#pragma once

#include <string_view>
#include <vector>

namespace nibble {

enum class Isa { kScalar, kAvx2, kAvx512 };

std::string_view isa_name(Isa isa);  // "scalar", "avx2", "avx512"
bool isa_available(Isa isa);         // built in, and the CPU and the operating system support it
std::vector<Isa> available_isas();   // slowest first; kScalar is always there

// The best available one, or what the environment variable NIBBLE_ISA names. Decided once.
// Error kUsage when NIBBLE_ISA is no ISA's name or that ISA is not available.
Isa active_isa();

// Picks one of a value's variants by ISA, e.g. a kernel table. A build for another CPU family
// passes what it has.
template <class T>
struct PerIsa {
  const T* scalar;
  const T* avx2;
  const T* avx512;
  const T& of(Isa isa) const {
    return isa == Isa::kAvx512 ? *avx512 : isa == Isa::kAvx2 ? *avx2 : *scalar;
  }
};

}  // namespace nibble
