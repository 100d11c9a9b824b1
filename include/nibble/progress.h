// How long work reports its progress and is asked to stop.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

namespace nibble {

struct Progress {
  std::string_view phase;  // "quantizing", "evaluating"
  std::string_view unit;   // of done and total: "weights", "tokens"
  uint64_t done = 0;
  uint64_t total = 0;
  uint64_t resumed = 0;  // of done, what an earlier call did: it has no part in the rate
  double seconds = 0;    // since the phase began
};

// Called from one thread at a time, at most some ten times a second and once at the end of a phase.
using ProgressFunction = std::function<void(const Progress&)>;

// What every long operation takes.
struct RunOptions {
  int threads = 0;               // 0: all CPUs this process may use
  ProgressFunction on_progress;  // may be empty
  const std::atomic<bool>* cancelled =
      nullptr;  // set it to make the operation throw Error kCancelled
};

}  // namespace nibble
