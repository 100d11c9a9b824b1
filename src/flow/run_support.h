// What flows share: reporting progress now and then, stopping when asked, and wall time.
#pragma once

#include <chrono>
#include <mutex>
#include <string_view>

#include "base/error.h"
#include "nibble/progress.h"

namespace nibble {

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// One phase of a long operation. Thread-safe.
class Phase {
 public:
  // `resumed` of `total` were done by an earlier call.
  Phase(const RunOptions& run, std::string_view name, std::string_view unit, uint64_t total,
        uint64_t resumed = 0)
      : run_(run),
        progress_{.phase = name,
                  .unit = unit,
                  .done = resumed,
                  .total = total,
                  .resumed = resumed,
                  .seconds = 0} {}

  // Error kCancelled when the caller asked for it.
  void advance(uint64_t more) {
    if (run_.cancelled != nullptr && run_.cancelled->load())
      fail(ErrorCode::kCancelled, "cancelled");
    const std::lock_guard lock(mutex_);
    progress_.done += more;
    progress_.seconds = watch_.seconds();
    const bool is_last = more > 0 && progress_.done == progress_.total;
    const bool is_due = progress_.seconds - reported_ >= 0.1 || is_last;
    if (!run_.on_progress || !is_due) return;
    reported_ = progress_.seconds;
    run_.on_progress(progress_);
  }
  double seconds() const { return watch_.seconds(); }

 private:
  const RunOptions& run_;
  std::mutex mutex_;
  Progress progress_;
  Stopwatch watch_;
  double reported_ = 0;
};

}  // namespace nibble
