// What flows share: reporting progress now and then, stopping when asked, and wall time.
#pragma once

#include <chrono>
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

// One phase of a long operation.
class Phase {
 public:
  Phase(const RunOptions& run, std::string_view name, std::string_view unit, uint64_t total)
      : run_(run), progress_{name, unit, 0, total, 0} {}

  // Error kCancelled when the caller asked for it.
  void advance_to(uint64_t done) {
    if (run_.cancelled != nullptr && run_.cancelled->load())
      fail(ErrorCode::kCancelled, "cancelled");
    progress_.done = done;
    progress_.seconds = watch_.seconds();
    const bool is_due = progress_.seconds - reported_ >= 0.1 || done == progress_.total;
    if (!run_.on_progress || !is_due) return;
    reported_ = progress_.seconds;
    run_.on_progress(progress_);
  }
  double seconds() const { return watch_.seconds(); }

 private:
  const RunOptions& run_;
  Progress progress_;
  Stopwatch watch_;
  double reported_ = 0;
};

}  // namespace nibble
