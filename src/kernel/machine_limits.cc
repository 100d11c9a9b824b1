#include "kernel/machine_limits.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "base/huge_pages.h"
#include "kernel/operations.h"

namespace nibble {
namespace {

double seconds_of(const auto& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// A run is long enough for the clock and short enough to fit between two turns of other processes;
// all runs of a loop give the CPU time to leave its idle state.
constexpr double kRunSeconds = 0.002;
constexpr double kLoopSeconds = 0.2;
constexpr int kFewestReads = 3;

double products_per_second(int64_t (*multiply)(int64_t) noexcept, ThreadPool& pool) {
  const int64_t pieces = 4 * pool.count();
  const auto best_of = [&](int runs, int64_t rounds) {
    double best = INFINITY;
    for (int i = 0; i < runs; ++i) {
      best = std::min(best, seconds_of([&] {
                        pool.run(pieces, 1, [&](int64_t, int64_t, int) { multiply(rounds); });
                      }));
    }
    return best;
  };
  int64_t rounds = 1;
  while (best_of(3, rounds) < kRunSeconds) rounds *= 2;
  const double best = best_of(static_cast<int>(kLoopSeconds / kRunSeconds), rounds);
  return static_cast<double>(pieces * rounds * multiply(1)) / best;
}

double read_bytes_per_second(ThreadPool& pool) {
  constexpr int64_t kMiB = 1 << 20;
  constexpr int64_t kPiece = 2 * kMiB;
  int64_t cache = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
  cache = ::sysconf(_SC_LEVEL3_CACHE_SIZE);  // 0 or -1 where it is not known
#endif
  const int64_t bytes = std::clamp(4 * cache, 256 * kMiB, 1024 * kMiB) / kPiece * kPiece;
  const HugePages memory(static_cast<uint64_t>(bytes));  // no time goes into finding pages
  pool.run(bytes, kPiece, [&](int64_t begin, int64_t end, int) {
    std::memset(memory.data() + begin, 1, static_cast<size_t>(end - begin));
  });
  double best = INFINITY, spent = 0;
  for (int i = 0; i < kFewestReads || spent < kLoopSeconds; ++i) {
    const double seconds = seconds_of([&] {
      pool.run(bytes, kPiece, [&](int64_t begin, int64_t end, int) {
        operations().read_words(memory.data() + begin, end - begin);
      });
    });
    best = std::min(best, seconds);
    spent += seconds;
  }
  return static_cast<double>(bytes) / best;
}

}  // namespace

MachineLimits measure_limits(ThreadPool& pool) {
  return {read_bytes_per_second(pool), products_per_second(operations().multiply_integers, pool),
          products_per_second(operations().multiply_floats, pool)};
}

}  // namespace nibble
