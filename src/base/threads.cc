#include "base/threads.h"

#include <sched.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace nibble {
namespace {

constexpr int kSpins =
    4000;  // some 20 microseconds: longer than the gap between two loops of one token

// The parts of ThreadPool::gate_.
constexpr uint64_t kInside = 0xffff;   // how many workers are in the loop
constexpr uint64_t kOpen = 0x10000;    // workers may enter
constexpr uint64_t kNumber = 0x20000;  // one loop

uint64_t number_of(uint64_t gate) { return gate / kNumber; }

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

int available_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

ThreadPool::ThreadPool(int count) {
  if (count <= 0) count = available_cpus();
  workers_.reserve(static_cast<size_t>(count - 1));
  try {
    for (int worker = 1; worker < count; ++worker) {
      workers_.emplace_back([this, worker] { work(worker); });
    }
  } catch (const std::system_error& error) {
    const int started = this->count();
    stop();
    fail(ErrorCode::kIo, "cannot start {} threads, only {}: {}; ask for fewer", count, started,
         system_message(error.code().value()));
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    gate_.fetch_add(kNumber);
  }
  wake_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ThreadPool::take_pieces(int worker) {
  try {
    for (;;) {
      const int64_t begin = next_.fetch_add(grain_, std::memory_order_relaxed);
      if (begin >= total_) return;
      (*function_)(begin, std::min(begin + grain_, total_), worker);
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::current_exception();
    next_.store(total_, std::memory_order_relaxed);
  }
}

void ThreadPool::run(int64_t total, int64_t grain, RangeFunction function) {
  if (total <= 0) return;
  if (workers_.empty() || total <= grain) {
    for (int64_t begin = 0; begin < total; begin += grain)
      function(begin, std::min(begin + grain, total), 0);
    return;
  }
  function_ = &function;
  total_ = total;
  grain_ = grain;
  next_.store(0, std::memory_order_relaxed);
  gate_.store((number_of(gate_.load()) + 1) * kNumber | kOpen);
  if (sleepers_.load() > 0) {
    const std::lock_guard lock(mutex_);
    wake_.notify_all();
  }
  take_pieces(0);
  gate_.fetch_and(~kOpen);
  for (int spins = 0; (gate_.load(std::memory_order_acquire) & kInside) != 0; ++spins) {
    if (spins < kSpins) {
      relax();
    } else {
      std::this_thread::yield();
    }
  }
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void ThreadPool::work(int worker) {
  uint64_t seen = 0;
  const auto is_new = [&] { return number_of(gate_.load()) != seen; };
  for (;;) {
    for (int spins = 0; spins < kSpins && !is_new(); ++spins) relax();
    if (!is_new()) {
      std::unique_lock lock(mutex_);
      sleepers_.fetch_add(1);
      wake_.wait(lock, is_new);
      sleepers_.fetch_sub(1);
    }
    uint64_t gate = gate_.load();
    seen = number_of(gate);
    if (stop_.load()) return;  // after the gate: the end changes it once, and would be missed
    while ((gate & kOpen) != 0 && number_of(gate) == seen) {
      if (!gate_.compare_exchange_weak(gate, gate + 1)) continue;
      take_pieces(worker);
      gate_.fetch_sub(1, std::memory_order_release);
      break;
    }
  }
}

}  // namespace nibble
