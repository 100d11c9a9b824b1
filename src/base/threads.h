// A pool of threads for loops over independent pieces. The caller works too; workers wait a short
// while on the CPU for the next loop and then sleep. (Why not OpenMP:
// docs/decisions/0001-thread-pool.md.)
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace nibble {

// A non-owning reference to a callable: no allocation in the inner loops.
class RangeFunction {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, RangeFunction>)
      RangeFunction(F&& function)  // NOLINT: implicit on purpose
      : object_(const_cast<void*>(static_cast<const void*>(&function))),
        call_([](void* object, int64_t begin, int64_t end, int worker) {
          (*static_cast<std::remove_reference_t<F>*>(object))(begin, end, worker);
        }) {}
  void operator()(int64_t begin, int64_t end, int worker) const {
    call_(object_, begin, end, worker);
  }

 private:
  void* object_;
  void (*call_)(void*, int64_t, int64_t, int);
};

class ThreadPool {
 public:
  // count <= 0: one per available CPU. Error: kIo when the system refuses a thread.
  explicit ThreadPool(int count);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int count() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls function(begin, end, worker) for consecutive pieces of at most `grain` (> 0) that cover
  // [0, total); worker is in [0, count()). Each thread begins with a part of its own and goes
  // through it in order, then helps the others. Returns when all are done; the first exception of
  // any piece is rethrown. One loop at a time: not reentrant.
  void run(int64_t total, int64_t grain, RangeFunction function) {
    run(total, PieceSize{grain, grain}, function);
  }
  // The same in pieces that become smaller, an eighth of what is left of a part, so that threads
  // end together: multiples of `smallest`, a divisor of `largest`, from one to the other.
  struct PieceSize {
    int64_t smallest;
    int64_t largest;
  };
  void run(int64_t total, PieceSize size, RangeFunction function);

 private:
  void stop();
  void work(int worker);
  void take_pieces(int worker);

  // What is left of a thread's own part, on a cache line of its own.
  struct alignas(64) Part {
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };

  std::vector<std::thread> workers_;
  std::vector<Part> parts_;
  const RangeFunction* function_ = nullptr;
  PieceSize size_{1, 1};
  // The loop's number, whether it is open to workers, and how many are in it (threads.cc). Who
  // comes late finds it closed: a loop never waits for a worker that the machine has no CPU for.
  std::atomic<uint64_t> gate_{0};
  std::atomic<bool> stop_{false};
  std::atomic<int> sleepers_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::exception_ptr error_;
};

// CPUs that this process may use, at least 1.
int available_cpus();

}  // namespace nibble
