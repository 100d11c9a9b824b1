// Which instruction sets this build knows and this machine has, and the one that is used.
#pragma once

#include <string_view>
#include <vector>

namespace nibble {

enum class Isa { kScalar, kAvx2, kAvxVnni, kAvx512, kNeon, kI8mm };

std::string_view isa_name(Isa isa);  // "scalar", "avx2", "avxvnni", "avx512", "neon", "i8mm"
bool isa_available(Isa isa);         // built in, and the CPU and the operating system support it
std::vector<Isa> available_isas();   // slowest first; kScalar is always there

// The best available one, or what the environment variable NIBBLE_ISA names. Decided once.
// Error kUsage when NIBBLE_ISA is no ISA's name or that ISA is not available.
Isa active_isa();

// Picks one of a value's variants by ISA, e.g. a kernel table. A build has those of its CPU family.
template <class T>
struct PerIsa {
  const T* scalar;
  const T* avx2 = nullptr;
  const T* avxvnni = nullptr;
  const T* avx512 = nullptr;
  const T* neon = nullptr;
  const T* i8mm = nullptr;

  // isa must be available.
  const T* of(Isa isa) const {
    switch (isa) {
      case Isa::kScalar:
        return scalar;
      case Isa::kAvx2:
        return avx2;
      case Isa::kAvxVnni:
        return avxvnni;
      case Isa::kAvx512:
        return avx512;
      case Isa::kNeon:
        return neon;
      case Isa::kI8mm:
        return i8mm;
    }
    return nullptr;
  }
};

}  // namespace nibble
