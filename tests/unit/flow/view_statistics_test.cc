// What files of statistics say. Expected figures: NumPy, from the same file.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "nibble/statistics.h"
#include "support/files.h"
#include "support/imatrix.h"
#include "unit/file/raw_gguf.h"

namespace nibble {
namespace {

const std::filesystem::path kStock = repository_path("tests/golden/lab-7m/imatrix.dat");

const TensorStatistics& find(const StatisticsView& view, std::string_view name) {
  return *std::ranges::find(view.tensors, name, &TensorStatistics::name);
}

TEST(ViewStatistics, MeasuresSumSpreadAndConcentrationOfEachTensor) {
  const StatisticsView view = view_statistics(kStock);
  EXPECT_EQ(view.format, "legacy .dat");
  EXPECT_EQ(view.chunks, 400u);
  EXPECT_TRUE(view.counts_calls);
  ASSERT_EQ(view.tensors.size(), 42u);
  const auto& down = find(view, "blk.0.ffn_down.weight");
  constexpr double kTolerance = 1e-6;  // relative; sums of floats in another order
  EXPECT_EQ(down.columns, 768u);
  EXPECT_EQ(down.experts, 1u);
  EXPECT_EQ(down.rows, 400);
  EXPECT_NEAR(down.sum / 3832.2394, 1, kTolerance);
  EXPECT_NEAR(down.least / 0.61937965, 1, kTolerance);
  EXPECT_NEAR(down.most / 432.66863, 1, kTolerance);
  EXPECT_NEAR(down.mean / 4.9898951, 1, kTolerance);
  EXPECT_NEAR(down.deviation / 18.226095, 1, kTolerance);
  EXPECT_NEAR(down.top_share / 0.25397169, 1, kTolerance);
  EXPECT_NEAR(down.entropy / 8.3428662, 1, kTolerance);
  EXPECT_NEAR(down.effective_columns / 324.67809, 1, kTolerance);
  EXPECT_NEAR(down.outliers / 0.013020833, 1, kTolerance);
  EXPECT_FALSE(down.cosine_similarity.has_value());
  EXPECT_FALSE(down.has_moments);
}

TEST(ViewStatistics, ComparesTensorsAndLayersWithThoseBefore) {
  const StatisticsView view = view_statistics(kStock);
  EXPECT_NEAR(find(view, "blk.5.attn_q.weight").cosine_similarity.value(), 0.97765805, 1e-6);
  EXPECT_NEAR(find(view, "blk.3.ffn_down.weight").cosine_similarity.value(), 0.1986282, 1e-6);
  ASSERT_EQ(view.layers.size(), 6u);
  EXPECT_FALSE(view.layers[0].cosine_similarity.has_value());
  EXPECT_NEAR(view.layers[4].cosine_similarity.value(), 0.47697064, 1e-6);
  EXPECT_NEAR(view.layers[4].sum / 2128.0032, 1, 1e-6);
}

TEST(ViewStatistics, ShowsTensorsLayerByLayerInTheOrderOfNumbers) {
  const TemporaryFolder folder;
  const auto file = write_file(folder / "my.dat", raw_imatrix({{"blk.10.x.weight", 1, {1, 2}},
                                                               {"blk.2.x.weight", 1, {2, 1}},
                                                               {"output.weight", 1, {3}}}));
  const StatisticsView view = view_statistics(file);
  std::string names;
  for (const auto& tensor : view.tensors) names += tensor.name + " ";
  EXPECT_EQ(names, "output.weight blk.2.x.weight blk.10.x.weight ");
  // The nearest layer that has the tensor, though it is not the one before.
  EXPECT_NEAR(view.tensors[2].cosine_similarity.value(), 0.8, 1e-12);
}

TEST(ViewStatistics, SaysWhichExpertsMetLittle) {
  const TemporaryFolder folder;
  RawGguf raw;
  raw.add_key("general.type", kString, text("imatrix"));
  raw.tensors = {{"blk.0.ffn_down_exps.weight.in_sum2", {2, 3}, 0, 0},
                 {"blk.0.ffn_down_exps.weight.counts", {1, 3}, 0, 32}};
  raw.weights =
      raw_floats({990, 990 * 3, 0, 0, 10, 50}) + std::string(8, '\0') + raw_floats({990, 0, 10});
  const auto file = write_file(folder / "my.gguf", raw.build());
  EXPECT_TRUE(is_statistics_file(file));
  const StatisticsView view = view_statistics(file);
  EXPECT_EQ(view.format, "GGUF");
  const TensorStatistics& tensor = view.tensors.at(0);
  EXPECT_EQ(tensor.columns, 2u);
  EXPECT_EQ(tensor.experts, 3u);
  EXPECT_EQ(tensor.rows, 1000);
  EXPECT_DOUBLE_EQ(tensor.sum, 1 + 3 + 1 + 5);  // of the two that met something
  EXPECT_EQ(tensor.starved_experts, (std::vector<int64_t>{1}));
  EXPECT_EQ(tensor.unmet_experts, 1u);
  EXPECT_EQ(tensor.least_share, 0);
}

TEST(ViewStatistics, AModelIsNone) {
  EXPECT_FALSE(is_statistics_file(kLab7m));
  EXPECT_FALSE(is_statistics_file("missing.gguf"));
  const TemporaryFolder folder;
  EXPECT_FALSE(is_statistics_file(write_file(folder / "x.gguf", small_gguf().build())));
}

}  // namespace
}  // namespace nibble
