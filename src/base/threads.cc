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
  parts_ = std::vector<Part>(static_cast<size_t>(count));
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
    for (size_t i = 0; i < parts_.size(); ++i) {
      Part& part = parts_[(static_cast<size_t>(worker) + i) % parts_.size()];
      int64_t begin = part.next.load(std::memory_order_relaxed);
      while (begin < part.end) {
        const int64_t eighth = (part.end - begin) / 8 / size_.smallest * size_.smallest;
        const int64_t end =
            std::min(begin + std::clamp(eighth, size_.smallest, size_.largest), part.end);
        if (!part.next.compare_exchange_weak(begin, end, std::memory_order_relaxed)) continue;
        (*function_)(begin, end, worker);
        begin = part.next.load(std::memory_order_relaxed);
      }
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::current_exception();
    for (Part& part : parts_) part.next.store(part.end, std::memory_order_relaxed);
  }
}

void ThreadPool::run(int64_t total, PieceSize size, RangeFunction function) {
  if (total <= 0) return;
  if (workers_.empty() || total <= size.smallest) {
    for (int64_t begin = 0; begin < total; begin += size.largest)
      function(begin, std::min(begin + size.largest, total), 0);
    return;
  }
  function_ = &function;
  size_ = size;
  const int64_t pieces = (total + size.smallest - 1) / size.smallest;
  const auto begin_of = [&](int64_t part) { return pieces * part / count() * size.smallest; };
  for (int64_t i = 0; i < count(); ++i) {
    Part& part = parts_[static_cast<size_t>(i)];
    part.end = std::min(begin_of(i + 1), total);
    part.next.store(begin_of(i), std::memory_order_relaxed);
  }
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
