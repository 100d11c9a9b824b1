// The machine and the process that the library runs in.
#pragma once

#include <cstdint>
#include <string>

namespace nibble {

struct Machine {
  std::string cpu;  // as the system calls it; "unknown" where it does not say
  std::string isa;  // the instruction set in use: "scalar", "avx2" (simd/isa.h has all)
  int cpus = 0;     // that this process may use
};

Machine this_machine();

// The most memory that the process held, files that it reads in place included: since its start, or
// since reset_peak_memory() where the system can do that (Linux).
uint64_t peak_memory_bytes();
void reset_peak_memory();

}  // namespace nibble
