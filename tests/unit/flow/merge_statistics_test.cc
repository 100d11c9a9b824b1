// Files of statistics added up, with weights, and what does not fit together.
#include <gtest/gtest.h>

#include <cmath>

#include "file/imatrix.h"
#include "file/moments.h"
#include "flow/statistics_file.h"
#include "nibble/statistics.h"
#include "support/files.h"
#include "support/imatrix.h"

namespace nibble {
namespace {

using Floats = std::vector<float>;

class MergeStatisticsTest : public testing::Test {
 protected:
  // Of a tensor of two columns, with moments unless `triangle` is empty.
  std::filesystem::path write(const std::string& name, const Floats& sums, const Floats& counts,
                              const std::vector<double>& triangle = {},
                              const std::string& tensor = "blk.0.a.weight") const {
    ImportanceMatrix matrix;
    matrix.datasets = {name + ".txt"};
    matrix.chunks = 3;
    matrix.chunk_size = 8;
    matrix.entries[tensor] = {sums, counts};
    std::vector<StatisticsFile::MomentsShape> moments;
    if (!triangle.empty()) moments.push_back({tensor, 2, counts.size()});
    const auto path = folder_ / name;
    StatisticsFile file(path, matrix, moments, {{tensor, tensor}});
    for (size_t e = 0; e < counts.size() && !triangle.empty(); ++e)
      file.write_moments(tensor, e, triangle);
    file.finish();
    return path;
  }
  ImportanceEntry merged(const std::vector<StatisticsInput>& inputs, int64_t chunk_size = 512) {
    result_ = merge_statistics(inputs, out_, chunk_size);
    return read_imatrix(out_).entries.at("blk.0.a.weight");
  }
  testing::AssertionResult is_refused(ErrorCode code, const std::vector<StatisticsInput>& inputs,
                                      const std::vector<std::string>& fragments) {
    return fails_with(code, fragments, [&] { merge_statistics(inputs, out_); });
  }

  TemporaryFolder folder_;
  const std::filesystem::path out_ = folder_ / "out.gguf";
  MergedStatistics result_;
};

TEST_F(MergeStatisticsTest, AddsUpSumsAndCounts) {
  const auto a = write("a.gguf", {10, 20}, {10}), b = write("b.gguf", {60, 30}, {30});
  EXPECT_EQ(merged({{a}, {b}}), (ImportanceEntry{{70, 50}, {40}}));
  const auto matrix = read_imatrix(out_);
  EXPECT_EQ(matrix.datasets, (std::vector<std::string>{"a.gguf.txt", "b.gguf.txt"}));
  EXPECT_EQ(matrix.chunks, 6u);
  EXPECT_EQ(matrix.chunk_size, 8u);
  EXPECT_FALSE(result_.has_moments);
  EXPECT_TRUE(result_.without_moments.empty());
}

TEST_F(MergeStatisticsTest, WeightsCountAsSoMuchMoreText) {
  const auto a = write("a.gguf", {10, 20}, {10}), b = write("b.gguf", {60, 30}, {30});
  EXPECT_EQ(merged({{a, 3}, {b, 0.5}}), (ImportanceEntry{{60, 75}, {45}}));
}

TEST_F(MergeStatisticsTest, CountsStayWholeAndMeansWhatTheyAre) {
  const auto a = write("a.gguf", {10, 20}, {10});
  for (const double weight : {0.01, 0.33, 0.77}) {
    const ImportanceEntry entry = merged({{a, weight}});
    EXPECT_EQ(entry.counts[0], std::max(1.0f, std::round(entry.counts[0])));
    EXPECT_FLOAT_EQ(entry.sums[0] / entry.counts[0], 1) << weight;
    EXPECT_FLOAT_EQ(entry.sums[1] / entry.counts[0], 2) << weight;
  }
}

TEST_F(MergeStatisticsTest, KeepsExpertsApart) {
  const auto a = write("a.gguf", {1, 2, 0, 0}, {1, 0}), b = write("b.gguf", {1, 1, 6, 4}, {2, 2});
  EXPECT_EQ(merged({{a}, {b}}), (ImportanceEntry{{2, 3, 6, 4}, {3, 2}}));
}

TEST_F(MergeStatisticsTest, MomentsAreAddedUpWhereAllHaveThem) {
  const auto a = write("a.gguf", {10, 20}, {10}, {10, 5, 20});
  const auto b = write("b.gguf", {60, 30}, {30}, {60, -1, 30});
  merged({{a, 2}, {b}});
  EXPECT_TRUE(result_.has_moments);
  const MomentsFile moments(out_);
  const auto* input = moments.input_of("blk.0.a.weight");
  ASSERT_NE(input, nullptr);
  EXPECT_EQ(moments.read(*input, 0), (Floats{80, 9, 70}));

  const auto c = write("c.gguf", {1, 1}, {1});
  merged({{a}, {c}});
  EXPECT_FALSE(result_.has_moments);
  EXPECT_EQ(result_.without_moments, (std::vector<std::filesystem::path>{c}));
  EXPECT_TRUE(MomentsFile(out_).empty());
}

TEST_F(MergeStatisticsTest, MomentsGoWithTheSumsWhoseCountsWereRounded) {
  const auto a = write("a.gguf", {10, 20}, {10}, {10, 5, 20});
  const ImportanceEntry entry = merged({{a, 0.33}});
  const MomentsFile moments(out_);
  const Floats triangle = moments.read(*moments.input_of("blk.0.a.weight"), 0);
  EXPECT_FLOAT_EQ(triangle[0], entry.sums[0]);
  EXPECT_FLOAT_EQ(triangle[2], entry.sums[1]);
  EXPECT_FLOAT_EQ(triangle[1] / triangle[0], 0.5f);
}

TEST_F(MergeStatisticsTest, ADatCountsCallsOfAChunkEach) {
  const auto a = write("a.gguf", {10, 20}, {10});
  const auto dat = write_file(folder_ / "b.dat", raw_imatrix({{"blk.0.a.weight", 5, {15, 20}}}));
  EXPECT_EQ(merged({{a}, {dat}}, 8), (ImportanceEntry{{10 + 3 * 40, 20 + 4 * 40}, {50}}));
}

TEST_F(MergeStatisticsTest, ADatHasOneCountForAllExperts) {
  const auto a = write("a.gguf", {1, 2, 0, 0}, {1, 0});
  const auto dat =
      write_file(folder_ / "b.dat", raw_imatrix({{"blk.0.a.weight", 2, {2, 4, 6, 8}}}));
  const ImportanceEntry expected = {{3, 6, 6, 8}, {3, 2}};
  EXPECT_EQ(merged({{a}, {dat}}, 1), expected);
  EXPECT_EQ(merged({{dat}, {a}}, 1), expected);
}

TEST_F(MergeStatisticsTest, WritesADat) {
  const auto a = write("a.gguf", {10, 20}, {10}, {10, 5, 20});
  merge_statistics({{a}}, folder_ / "out.dat");
  EXPECT_EQ(read_imatrix(folder_ / "out.dat").entries.at("blk.0.a.weight").means(), (Floats{1, 2}));
}

TEST_F(MergeStatisticsTest, RefusesStatisticsOfOtherModels) {
  const auto a = write("a.gguf", {10, 20}, {10});
  const auto wide = write("wide.gguf", {1, 2, 3}, {1});
  EXPECT_TRUE(is_refused(ErrorCode::kInvalidFile, {{a}, {wide}},
                         {"blk.0.a.weight", "a.gguf", "wide.gguf", "2 and 3 sums"}));
  const auto experts = write("experts.gguf", {1, 2, 3, 4}, {1, 1});
  EXPECT_TRUE(is_refused(ErrorCode::kInvalidFile, {{a}, {experts}}, {"blk.0.a.weight"}));
  const auto other = write("other.gguf", {1, 2, 3, 4}, {1, 1, 1, 1});
  EXPECT_TRUE(is_refused(ErrorCode::kInvalidFile, {{experts}, {other}}, {"2 and 4 experts"}));
  const auto deep = write("deep.gguf", {1, 2}, {1}, {}, "blk.7.a.weight");
  EXPECT_TRUE(is_refused(ErrorCode::kInvalidFile, {{a}, {deep}},
                         {"blk.0.a.weight", "deep.gguf", "nothing of that layer"}));
  EXPECT_TRUE(is_refused(ErrorCode::kInvalidFile, {{deep}, {a}}, {"nothing of that layer"}));
  EXPECT_FALSE(std::filesystem::exists(out_));
}

TEST_F(MergeStatisticsTest, AnOutputMatrixMayBeInOneOnly) {
  const auto a = write("a.gguf", {10, 20}, {10});
  const auto both =
      write_file(folder_ / "both.dat",
                 raw_imatrix({{"blk.0.a.weight", 1, {1, 2}}, {"output.weight", 1, {3}}}));
  merged({{a}, {both}});
  EXPECT_EQ(result_.tensors, 2u);
}

TEST_F(MergeStatisticsTest, RefusesWhatMakesNoSense) {
  const auto a = write("a.gguf", {10, 20}, {10});
  for (const double weight : {0.0, -1.0, std::nan(""), HUGE_VAL})
    EXPECT_TRUE(is_refused(ErrorCode::kUsage, {{a, weight}}, {"a.gguf", "weight"}));
  EXPECT_TRUE(is_refused(ErrorCode::kUsage, {}, {"no statistics"}));
  EXPECT_TRUE(is_refused(ErrorCode::kNotFound, {{folder_ / "missing.gguf"}}, {"missing.gguf"}));
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, {"a.gguf", "is read"}, [&] { merge_statistics({{a}}, a); }));
  const auto large = write("large.gguf", {3e38f, 1}, {1});
  EXPECT_TRUE(
      is_refused(ErrorCode::kUsage, {{large, 2}}, {"blk.0.a.weight", "column 0", "floats"}));
}

}  // namespace
}  // namespace nibble
