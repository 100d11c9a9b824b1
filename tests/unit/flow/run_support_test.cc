#include "flow/run_support.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/threads.h"
#include "support/files.h"

namespace nibble {
namespace {

TEST(Phase, CountsWhatAllThreadsDo) {
  std::vector<Progress> reports;
  RunOptions run;
  run.on_progress = [&](const Progress& progress) { reports.push_back(progress); };
  ThreadPool pool(4);
  Phase phase(run, "counting", "beans", 1000, 200);
  pool.run(400, 1, [&](int64_t, int64_t, int) { phase.advance(2); });
  ASSERT_FALSE(reports.empty());
  EXPECT_EQ(reports.back().phase, "counting");
  EXPECT_EQ(reports.back().unit, "beans");
  EXPECT_EQ(reports.back().done, 1000u);
  EXPECT_EQ(reports.back().total, 1000u);
  EXPECT_EQ(reports.back().resumed, 200u);
}

TEST(Phase, StopsWhenAsked) {
  const std::atomic<bool> cancelled{true};
  RunOptions run;
  run.cancelled = &cancelled;
  Phase phase(run, "counting", "beans", 10);
  EXPECT_TRUE(fails_with(ErrorCode::kCancelled, {}, [&] { phase.advance(1); }));
}

}  // namespace
}  // namespace nibble
