#include "flow/bench_store.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "support/files.h"

namespace nibble {
namespace {

const Machine kMachine = {"a CPU", "avx2", 2};

BenchResult result_with(std::vector<double> samples) {
  BenchResult result;
  result.model = "m.gguf";
  result.file_hash = "0123456789abcdef";
  result.type = "q4_0";
  result.kv_type = "f16";
  result.threads = 2;
  result.generated = 64;
  result.samples = std::move(samples);
  return result;
}

// A run of its own for each call.
class BenchStoreTest : public testing::Test {
 protected:
  BenchStore open(const std::string& label = "", const Machine& machine = kMachine) const {
    return BenchStore(path_, machine, "1.0", label);
  }
  std::optional<BenchChange> compare(const BenchResult& result,
                                     std::string_view with = BenchOptions::kLatest) const {
    return open().compare(result, with);
  }
  // The sqlite header's two numbers, big-endian at these offsets (sqlite.org/fileformat.html).
  void set_number(size_t offset, char lowest) {
    std::string bytes = read_file(path_);
    bytes[offset + 3] = lowest;
    write_file(path_, bytes);
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "bench.sqlite";
};

TEST_F(BenchStoreTest, ShowsTheChangeSinceTheLatestEarlierRun) {
  open("first").append(result_with({50, 50}));
  open("second").append(result_with({100, 100}));
  const auto change = compare(result_with({110, 110}));
  ASSERT_TRUE(change);
  EXPECT_EQ(change->label, "second");
  EXPECT_EQ(change->version, "1.0");
  EXPECT_EQ(change->time.size(), std::string("2026-08-30T12:00:00Z").size());
  EXPECT_EQ(change->mean, 100);
  EXPECT_NEAR(change->change, 0.1, 1e-12);
  EXPECT_TRUE(change->is_beyond_spread());
}

TEST_F(BenchStoreTest, ComparesWithALabelOrAVersion) {
  open("first").append(result_with({50, 50}));
  open("second").append(result_with({100, 100}));
  const BenchStore store = open();
  EXPECT_TRUE(store.has("first") && store.has("1.0") && store.has(BenchOptions::kLatest));
  EXPECT_FALSE(store.has("third"));
  EXPECT_EQ(store.compare(result_with({100, 100}), "first")->mean, 50);
  EXPECT_EQ(store.compare(result_with({100, 100}), "1.0")->mean, 100);
  EXPECT_FALSE(store.compare(result_with({100, 100}), "third"));
}

TEST_F(BenchStoreTest, ARunIsNotComparedWithItself) {
  BenchStore store = open();
  store.append(result_with({100, 100}));
  EXPECT_FALSE(store.compare(result_with({100, 100}), BenchOptions::kLatest));
  EXPECT_TRUE(compare(result_with({100, 100})));
}

TEST_F(BenchStoreTest, ADifferenceWithinTheSpreadOfTheSamplesIsNone) {
  open().append(result_with({95, 100, 105}));
  EXPECT_FALSE(compare(result_with({97, 103, 107}))->is_beyond_spread());
  EXPECT_TRUE(compare(result_with({120, 125, 130}))->is_beyond_spread());
  EXPECT_TRUE(compare(result_with({70, 75, 80}))->is_beyond_spread());
}

TEST_F(BenchStoreTest, OneSampleDecidesNothing) {
  open().append(result_with({100}));
  const auto change = compare(result_with({200, 201, 202}));
  EXPECT_NEAR(change->change, 1.01, 1e-4);
  EXPECT_TRUE(std::isnan(change->low) && std::isnan(change->high));
  EXPECT_FALSE(change->is_beyond_spread());
}

TEST_F(BenchStoreTest, KnowsHowTheMachineChanged) {
  BenchResult before = result_with({100, 100});
  before.limited_by = "read";
  before.limit_tokens_per_second = 200;
  open().append(before);
  BenchResult now = before;
  now.limit_tokens_per_second = 150;
  EXPECT_DOUBLE_EQ(compare(now)->limit_change, -0.25);
  EXPECT_TRUE(std::isnan(compare(result_with({100, 100}))->limit_change));
}

TEST_F(BenchStoreTest, ComparesOnlyWhatIsAlike) {
  open().append(result_with({100, 100}));
  const auto differs = [&](const auto& change) {
    BenchResult result = result_with({100, 100});
    change(result);
    return !compare(result);
  };
  EXPECT_FALSE(differs([](auto& r) { r.model = "moved/elsewhere.gguf"; }));
  EXPECT_TRUE(differs([](auto& r) { r.file_hash = "fedcba9876543210"; }));
  EXPECT_TRUE(differs([](auto& r) { r.load_type = "q4_0"; }));
  EXPECT_TRUE(differs([](auto& r) { r.repacked = true; }));
  EXPECT_TRUE(differs([](auto& r) { r.threads = 1; }));
  EXPECT_TRUE(differs([](auto& r) { r.kv_type = "q8_0"; }));
  EXPECT_TRUE(differs([](auto& r) { r.depth = 512; }));
  for (const Machine& machine : {Machine{"another CPU", "avx2", 2}, Machine{"a CPU", "avx512", 2},
                                 Machine{"a CPU", "avx2", 4}}) {
    EXPECT_FALSE(open("", machine).compare(result_with({100, 100}), BenchOptions::kLatest));
  }
}

TEST_F(BenchStoreTest, MakesAFileOnlyForAResult) {
  EXPECT_FALSE(compare(result_with({100})));
  EXPECT_EQ(folder_.count_files(), 0u);
  write_file(path_, "");  // as mktemp leaves it
  open().append(result_with({100, 100}));
  EXPECT_TRUE(compare(result_with({100, 100})));
}

TEST_F(BenchStoreTest, TakesResultsOfSeveralWritersAtOnce) {
  constexpr int kWriters = 4, kResults = 8;
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      BenchStore store = open("writer " + std::to_string(i));
      for (int k = 0; k < kResults; ++k) {
        BenchResult result = result_with({1.0 + i});
        result.depth = k;
        store.append(result);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  for (int i = 0; i < kWriters; ++i) {
    for (int k = 0; k < kResults; ++k) {
      BenchResult result = result_with({1});
      result.depth = k;
      const auto change = open().compare(result, "writer " + std::to_string(i));
      ASSERT_TRUE(change) << i << " " << k;
      EXPECT_EQ(change->mean, 1.0 + i);
    }
  }
}

TEST_F(BenchStoreTest, RefusesOtherFilesAndLeavesThemAsTheyAre) {
  const auto refused = [&](ErrorCode code, const std::vector<std::string>& fragments) {
    const std::string before = read_file(path_);
    const auto answer = fails_with(code, fragments, [&] { open().append(result_with({1})); });
    EXPECT_EQ(read_file(path_), before);
    return answer;
  };
  write_file(path_, std::string(5000, 'x'));
  EXPECT_TRUE(refused(ErrorCode::kInvalidFile, {"bench.sqlite", "no SQLite 3 database"}));
  std::filesystem::remove(path_);
  open().append(result_with({100, 100}));
  const std::string whole = read_file(path_);
  set_number(60, 2);  // user_version
  EXPECT_TRUE(refused(ErrorCode::kUnsupported, {"version 2", "knows version 1", "newer nibble"}));
  write_file(path_, whole);
  set_number(68, 1);  // application_id
  EXPECT_TRUE(refused(ErrorCode::kInvalidFile, {"another program"}));
}

TEST_F(BenchStoreTest, NamesTheFileThatCannotBeMade) {
  path_ = folder_ / "missing/bench.sqlite";
  EXPECT_TRUE(fails_with(ErrorCode::kIo, {"missing/bench.sqlite", "no folder", "--store"},
                         [&] { open(); }));
  path_ = folder_.path();
  EXPECT_TRUE(fails_with(ErrorCode::kIo, {"cannot open"}, [&] { open(); }));
}

}  // namespace
}  // namespace nibble
