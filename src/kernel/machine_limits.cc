#include "kernel/machine_limits.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/huge_pages.h"
#include "base/statistics.h"
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

constexpr double kMomentSeconds = 0.05;

// Of each of the runs that fit into so many seconds.
std::vector<double> products_per_second(int64_t (*multiply)(int64_t) noexcept, double seconds,
                                        ThreadPool& pool) {
  const int64_t pieces = 4 * pool.count();
  const auto seconds_for = [&](int64_t rounds) {
    return seconds_of(
        [&] { pool.run(pieces, 1, [&](int64_t, int64_t, int) { multiply(rounds); }); });
  };
  int64_t rounds = 1;
  while (std::min({seconds_for(rounds), seconds_for(rounds), seconds_for(rounds)}) < kRunSeconds)
    rounds *= 2;
  std::vector<double> rates;
  for (double spent = 0; spent < seconds;) {
    const double run = seconds_for(rounds);
    rates.push_back(static_cast<double>(pieces * rounds * multiply(1)) / run);
    spent += run;
  }
  return rates;
}

double most_products(int64_t (*multiply)(int64_t) noexcept, ThreadPool& pool) {
  return std::ranges::max(products_per_second(multiply, kLoopSeconds, pool));
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
  return {read_bytes_per_second(pool), most_products(operations().multiply_integers, pool),
          most_products(operations().multiply_floats, pool)};
}

MachineLimits products_now(const MachineLimits& limits, ThreadPool& pool) {
  const auto median = [&](int64_t (*multiply)(int64_t) noexcept) {
    return summarize(products_per_second(multiply, kMomentSeconds, pool)).median;
  };
  return {limits.read_bytes_per_second, median(operations().multiply_integers),
          median(operations().multiply_floats)};
}

}  // namespace nibble
