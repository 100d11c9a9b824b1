// What this machine can do at most with some threads: what speeds are compared with.
#pragma once

#include "base/threads.h"

namespace nibble {

// All threads together, the best of many short runs of each loop of kernel/limits.h with the
// instruction set in use.
struct MachineLimits {
  double read_bytes_per_second = 0;        // from memory, far beyond the caches
  double integer_products_per_second = 0;  // of 8-bit integers, summed up in 32 bits
  double float_products_per_second = 0;    // of binary32
};

// Takes about a second and, meanwhile, four times the last-level cache (256 MiB to 1 GiB).
// Error kIo when the system refuses the memory.
MachineLimits measure_limits(ThreadPool& pool);

// `limits` with what products come to at this moment, when other processes or other machines on the
// same processor take their part: the median over a twentieth of a second for each kind.
MachineLimits products_now(const MachineLimits& limits, ThreadPool& pool);

}  // namespace nibble
