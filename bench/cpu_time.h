// What a measurement goes by: CPU time of this thread, in seconds. Other processes do not count.
#pragma once

#include <ctime>

namespace nibble {

inline double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace nibble
