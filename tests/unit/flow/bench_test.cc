#include "nibble/bench.h"

#include <gtest/gtest.h>

#include <atomic>

#include "support/files.h"

namespace nibble {
namespace {

using Paths = std::vector<std::filesystem::path>;

// Small and without limits, which take a second.
BenchOptions small_options() {
  BenchOptions options;
  options.prompts = {8};
  options.generated = {2};
  options.threads = {1};
  options.repetitions = 2;
  options.limits = false;
  return options;
}

TEST(Bench, MeasuresEveryCombinationInOrder) {
  BenchOptions options = small_options();
  options.prompts = {8, 0, 16};
  options.depths = {0, 4};
  options.kv_types = {"f16", "F32"};
  options.prompts_then_generated = {{4, 2}};
  options.threads = {1, 2};
  std::vector<size_t> seen;
  const auto report = bench(Paths{kLab7m}, options,
                            [&](const auto& so_far) { seen.push_back(so_far.results.size()); });
  std::vector<std::string> names;
  for (const BenchResult& r : report.results) {
    names.push_back(std::to_string(r.threads) + " " + r.kv_type + " " + r.test());
    EXPECT_EQ(r.samples.size(), 2u);
    EXPECT_GT(r.mean, 0);
    EXPECT_TRUE(r.limited_by.empty());
  }
  const std::vector<std::string> tests = {"pp8",      "pp16",      "tg2",      "pp4+tg2",
                                          "pp8 @ d4", "pp16 @ d4", "tg2 @ d4", "pp4+tg2 @ d4"};
  std::vector<std::string> expected;
  for (const char* setting : {"1 f16 ", "1 f32 ", "2 f16 ", "2 f32 "}) {
    for (const std::string& test : tests) expected.push_back(setting + test);
  }
  EXPECT_EQ(names, expected);
  EXPECT_EQ(seen.size(), expected.size());
  EXPECT_EQ(seen.front(), 1u);
}

TEST(Bench, CountsTheTokensOfAllSequences) {
  BenchOptions options = small_options();
  options.sequences = {1, 3};
  options.depths = {2};
  Progress last;
  options.load.run.on_progress = [&](const Progress& progress) { last = progress; };
  const auto report = bench(Paths{kLab7m}, options);
  std::vector<std::string> names;
  for (const BenchResult& r : report.results) names.push_back(r.test());
  EXPECT_EQ(names,
            (std::vector<std::string>{"pp8 @ d2", "tg2 @ d2", "pp8 x3 @ d2", "tg2 x3 @ d2"}));
  EXPECT_EQ(report.results[3].sequences, 3);
  EXPECT_EQ(last.total, 4 * (2u + 3 * 8 + (1 + 2 * 2)));
  EXPECT_EQ(last.done, last.total);
}

TEST(Bench, SaysWhatTheModelIs) {
  BenchOptions options = small_options();
  options.load.type = "q8_0";
  const auto report = bench(Paths{kLab7m, kLab7m}, options);
  ASSERT_EQ(report.results.size(), 4u);
  const BenchResult& result = report.results[3];
  EXPECT_EQ(result.model, kLab7m);
  EXPECT_EQ(result.type, "q8_0");
  EXPECT_EQ(result.parameters, 6819072u);
  EXPECT_EQ(result.weight_bytes, 7255040u);
  EXPECT_GT(result.load_seconds, 0);
  EXPECT_GT(result.peak_memory_bytes, result.weight_bytes);
  EXPECT_FALSE(report.machine.isa.empty());
  EXPECT_TRUE(report.limits.empty());
}

TEST(Bench, ReportsEveryTokenAsProgress) {
  BenchOptions options = small_options();
  options.depths = {3};
  Progress last;
  options.load.run.on_progress = [&](const Progress& progress) { last = progress; };
  bench(Paths{kLab7m}, options);
  EXPECT_EQ(last.phase, "measuring");
  EXPECT_EQ(last.total, 3u + 3 * 8 + (1 + 2 * 2));
  EXPECT_EQ(last.done, last.total);
}

TEST(Bench, StopsWhenAsked) {
  const std::atomic<bool> cancelled{true};
  BenchOptions options = small_options();
  options.load.run.cancelled = &cancelled;
  EXPECT_TRUE(fails_with(ErrorCode::kCancelled, {}, [&] { bench(Paths{kLab7m}, options); }));
}

TEST(Bench, RefusesWhatCannotBeMeasuredBeforeItBegins) {
  const auto refuses = [](const auto& change, const std::vector<std::string>& fragments) {
    BenchOptions options = small_options();
    change(options);
    return fails_with(ErrorCode::kUsage, fragments, [&] { bench(Paths{kLab7m}, options); });
  };
  EXPECT_TRUE(refuses([](auto& o) { o.prompts = o.generated = {0}; }, {"nothing to measure"}));
  EXPECT_TRUE(refuses([](auto& o) { o.repetitions = 0; }, {"0 repetitions"}));
  EXPECT_TRUE(refuses([](auto& o) { o.depths = {-1}; }, {"-1 tokens"}));
  EXPECT_TRUE(refuses([](auto& o) { o.prompts = {INT64_MAX}; }, {"not possible"}));
  EXPECT_TRUE(refuses([](auto& o) { o.sequences = {8, 0}; }, {"0 sequences", "1 to 512"}));
  EXPECT_TRUE(refuses([](auto& o) { o.kv_types = {"q9"}; }, {"q9", "f16"}));
  EXPECT_TRUE(refuses([](auto& o) { o.depths = {0, 505}; }, {"513 tokens", "trained for 512"}));
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, {"missing"}, [] {
    bench(Paths{kLab7m, "missing"}, small_options(),
          [](const auto&) { FAIL() << "measured although a model is missing"; });
  }));
}

}  // namespace
}  // namespace nibble
