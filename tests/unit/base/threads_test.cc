#include "base/threads.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/attributes.h"
#include "support/files.h"

namespace nibble {
namespace {

using Cell = std::atomic<int>;

// How often each index was covered, whether every piece was consecutive, of the size asked for, and
// run by a worker of the pool.
struct Coverage {
  std::vector<Cell> times;
  std::atomic<bool> well_formed{true};

  Coverage(ThreadPool& pool, int64_t total, int64_t grain)
      : Coverage(pool, total, {grain, grain}) {}
  Coverage(ThreadPool& pool, int64_t total, ThreadPool::PieceSize size)
      : times(static_cast<size_t>(total)) {
    pool.run(total, size, [&](int64_t begin, int64_t end, int worker) {
      const bool worker_exists = worker >= 0 && worker < pool.count();
      if (begin >= end || end > total || !worker_exists) well_formed = false;
      const int64_t count = end - begin;
      if (count > size.largest || (count % size.smallest != 0 && end < total)) well_formed = false;
      for (int64_t i = begin; i < end; ++i) times[static_cast<size_t>(i)].fetch_add(1);
    });
  }
  bool each_once() const {
    return std::all_of(times.begin(), times.end(), [](const Cell& cell) { return cell == 1; });
  }
};

class ThreadPoolOf : public testing::TestWithParam<int> {
 protected:
  ThreadPool pool_{GetParam()};
};

TEST_P(ThreadPoolOf, HasTheThreadsAskedFor) { EXPECT_EQ(pool_.count(), GetParam()); }

TEST_P(ThreadPoolOf, CoversEachIndexOnce) {
  for (const int64_t total : {1, 2, 3, 7, 64, 1000, 4097}) {
    for (const int64_t grain : {1, 2, 5, 64, 5000}) {
      const Coverage coverage(pool_, total, grain);
      EXPECT_TRUE(coverage.each_once()) << total << " in pieces of " << grain;
      EXPECT_TRUE(coverage.well_formed) << total << " in pieces of " << grain;
    }
  }
}

TEST_P(ThreadPoolOf, CoversEachIndexOnceInPiecesThatBecomeSmaller) {
  for (const int64_t total : {1, 2, 3, 7, 64, 1000, 4097}) {
    for (const ThreadPool::PieceSize size : {ThreadPool::PieceSize{1, 100}, {4, 64}, {16, 4096}}) {
      const Coverage coverage(pool_, total, size);
      EXPECT_TRUE(coverage.each_once()) << total << " in pieces from " << size.smallest;
      EXPECT_TRUE(coverage.well_formed) << total << " in pieces from " << size.smallest;
    }
  }
}

TEST_P(ThreadPoolOf, DoesNothingForAnEmptyLoop) {
  bool called = false;
  pool_.run(0, 1, [&](int64_t, int64_t, int) { called = true; });
  EXPECT_FALSE(called);
}

TEST_P(ThreadPoolOf, WritesOfALoopAreSeenByTheNext) {
  std::vector<int64_t> values(257, 0);  // not atomic: the pool itself must order the loops
  constexpr int64_t kLoops = 2000;
  for (int64_t loop = 0; loop < kLoops; ++loop) {
    pool_.run(257, 3, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) values[static_cast<size_t>(i)] += loop;
    });
  }
  for (const int64_t value : values) ASSERT_EQ(value, kLoops * (kLoops - 1) / 2);
}

TEST_P(ThreadPoolOf, WakesWorkersThatSleep) {
  for (int loop = 0; loop < 5; ++loop) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // far longer than they spin
    EXPECT_TRUE(Coverage(pool_, 100, 1).each_once());
  }
}

TEST_P(ThreadPoolOf, RethrowsAnExceptionAndWorksAgain) {
  for (int loop = 0; loop < 20; ++loop) {
    const auto throw_at_70 = [](int64_t begin, int64_t, int) {
      if (begin == 70) throw std::runtime_error("piece 70");
    };
    try {
      pool_.run(100, 1, throw_at_70);
      FAIL() << "no exception came out";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "piece 70");
    }
    EXPECT_TRUE(Coverage(pool_, 100, 1).each_once());
  }
}

TEST_P(ThreadPoolOf, RethrowsOneOfManyExceptions) {
  EXPECT_THROW(pool_.run(1000, 1, [](int64_t, int64_t, int) { throw std::runtime_error("each"); }),
               std::runtime_error);
  EXPECT_TRUE(Coverage(pool_, 100, 1).each_once());
}

// 13: more threads than pieces and than this machine has CPUs.
INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolOf, testing::Values(1, 2, 3, 13));

TEST(ThreadPool, TakesEveryAvailableCpuByDefault) {
  EXPECT_EQ(ThreadPool(0).count(), available_cpus());
  EXPECT_GE(available_cpus(), 1);
}

TEST(ThreadPool, GivesPiecesThatRunTogetherDifferentWorkers) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> inside(4);
  std::atomic<bool> shared{false};
  pool.run(1000, 1, [&](int64_t, int64_t, int worker) {
    auto& count = inside[static_cast<size_t>(worker)];
    if (count.fetch_add(1) != 0) shared = true;
    std::this_thread::yield();
    count.fetch_sub(1);
  });
  EXPECT_FALSE(shared);
}

TEST(ThreadPool, ManyPoolsComeAndGo) {
  for (int i = 0; i < 200; ++i) {
    ThreadPool pool(3);
    if (i % 2 == 0) {  // the others end without ever having worked
      ASSERT_TRUE(Coverage(pool, 10, 1).each_once());
    }
  }
}

// A limit on address space, room for some stacks but not for all, stands in for a system that has
// no more threads to give.
TEST(ThreadPool, SaysSoWhenTheSystemRefusesAThread) {
#ifdef NIBBLE_IS_SANITIZED
  GTEST_SKIP() << "sanitizers need the address space";
#endif
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &old), 0);
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const uint64_t in_use = pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const rlimit small{in_use + (uint64_t{256} << 20), old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &small), 0);
  const auto result =
      fails_with(ErrorCode::kIo, {"cannot start 1024 threads"}, [] { ThreadPool pool(1024); });
  ::setrlimit(RLIMIT_AS, &old);
  EXPECT_TRUE(result);
}

}  // namespace
}  // namespace nibble
