// Encoding by importance: who gets which values, and what they change.
#include "flow/importance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "codec/codec.h"
#include "file/gguf.h"
#include "flow/encode_rows.h"
#include "flow/memory_tensors.h"
#include "flow/quantize_request.h"
#include "support/files.h"
#include "support/imatrix.h"

namespace nibble {
namespace {

constexpr uint64_t kColumns = 256;

std::vector<float> waves(uint64_t count) {
  std::vector<float> x(count);
  for (uint64_t i = 0; i < count; ++i) x[i] = std::sin(0.37f * static_cast<float>(i * i % 997));
  return x;
}

// Only every `step`th column matters.
std::vector<float> every(uint64_t step) {
  std::vector<float> importance(kColumns, 1e-4f);
  for (uint64_t i = 0; i < kColumns; i += step) importance[i] = 1;
  return importance;
}

std::vector<std::byte> encoded(const std::vector<float>& x, const Shape& shape,
                               std::span<const float> importance) {
  MemoryTensors source({{"t.weight", DType::kF32, shape}});
  source.write(0, 0, std::as_bytes(std::span(x)));
  RowEncoder rows;
  rows.read(source, 0, 0, shape.rows());
  const auto bytes = rows.encode(DType::kQ4_K, {importance, Effort::kDefault});
  return {bytes.begin(), bytes.end()};
}

double weighted_error(const std::vector<float>& x, const std::vector<std::byte>& rows,
                      const std::vector<float>& importance) {
  std::vector<float> y(x.size());
  codec(DType::kQ4_K).decode(rows.data(), static_cast<int64_t>(x.size()), y.data());
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    sum += static_cast<double>(importance[i % kColumns] * (x[i] - y[i]) * (x[i] - y[i]));
  }
  return sum;
}

std::vector<float> joined(std::vector<float> a, const std::vector<float>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(Importance, LowersTheErrorWhereItMatters) {
  const auto x = waves(16 * kColumns);
  const Shape shape = {{kColumns, 16, 1, 1}, 2};
  const auto importance = every(8);
  EXPECT_LT(weighted_error(x, encoded(x, shape, importance), importance),
            0.9 * weighted_error(x, encoded(x, shape, {}), importance));
}

TEST(Importance, EveryExpertIsWeightedByItsOwnSlice) {
  const auto x = waves(2 * 3 * kColumns);
  const std::vector<float> first(x.begin(), x.begin() + 3 * kColumns);
  const std::vector<float> second(x.begin() + 3 * kColumns, x.end());
  const Shape expert = {{kColumns, 3, 1, 1}, 2};
  auto apart = encoded(first, expert, every(8));
  const auto other = encoded(second, expert, every(5));
  apart.insert(apart.end(), other.begin(), other.end());
  EXPECT_EQ(encoded(x, {{kColumns, 3, 2, 1}, 3}, joined(every(8), every(5))), apart);
  EXPECT_NE(encoded(x, {{kColumns, 3, 2, 1}, 3}, joined(every(8), every(8))), apart);
}

TEST(Importance, NeedsAValueForEachColumnOfEachExpert) {
  const std::vector<TensorInfo> tensors = {{"a.weight", DType::kF16, {{kColumns, 8, 1, 1}, 2}},
                                           {"b.weight", DType::kF16, {{kColumns, 8, 2, 1}, 3}}};
  const auto matrix = [](const std::string& name, size_t values) {
    ImportanceMatrix result;
    result.entries[name] = {std::vector<float>(values, 1), {1}};
    return result;
  };
  EXPECT_EQ(TensorImportance(matrix("b.weight", 2 * kColumns), tensors).of(1).size(), 2 * kColumns);
  EXPECT_TRUE(TensorImportance(matrix("b.weight", 2 * kColumns), tensors).of(0).empty());
  for (const size_t wrong : {kColumns - 1, 2 * kColumns}) {
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile,
                           {"a.weight", std::to_string(wrong) + " values", "expected 256"},
                           [&] { TensorImportance(matrix("a.weight", wrong), tensors); }));
  }
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"b.weight", "expected 512"},
                         [&] { TensorImportance(matrix("b.weight", kColumns), tensors); }));
}

TEST(Importance, OptionsChooseAmongItsEntries) {
  const TemporaryFolder folder;
  const auto file = write_file(folder / "my.dat", raw_imatrix({{"blk.0.attn_q.weight", 1, {1}},
                                                               {"blk.0.attn_v.weight", 1, {1}},
                                                               {"x", 1, {1}}}));
  const auto names = [&](const std::vector<std::string>& include,
                         const std::vector<std::string>& exclude) {
    QuantizeOptions options;
    options.imatrix = file;
    options.include_weights = include;
    options.exclude_weights = exclude;
    std::string joined_names;
    for (const auto& [name, values] : load_importance(options).entries) joined_names += name + " ";
    return joined_names;
  };
  EXPECT_EQ(names({}, {}), "blk.0.attn_q.weight blk.0.attn_v.weight x ");
  EXPECT_EQ(names({"attn_q", "x"}, {}), "blk.0.attn_q.weight x ");
  EXPECT_EQ(names({}, {"attn_q", "x"}), "blk.0.attn_v.weight ");
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"combined"}, [&] { names({"a"}, {"b"}); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"no entry"}, [&] { names({"zzz"}, {}); }));
  QuantizeOptions without_file;
  without_file.include_weights = {"a"};
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"--imatrix"}, [&] { load_importance(without_file); }));
}

TEST(Importance, FollowsTheTensorsOfAPrunedModel) {
  const TemporaryFolder folder;
  QuantizeOptions options;
  options.imatrix = write_file(
      folder / "my.dat", raw_imatrix({{"blk.1.attn_q.weight", 1, std::vector<float>(256, 1)},
                                      {"blk.5.attn_q.weight", 1, std::vector<float>(256, 5)}}));
  options.prune_layers = {1, 3};
  ModelSource model = open_model(kLab7m);
  const auto request = read_request(options, model);
  const auto& tensors = model.tensors().tensors();
  EXPECT_EQ(request.rules.importance.count(), 1u);
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto values = request.rules.importance.of(i);
    if (values.empty()) continue;
    EXPECT_EQ(tensors[i].name, "blk.3.attn_q.weight");
    EXPECT_EQ(values[0], 5.0f);
  }
}

TEST(Importance, IsToldInTheFile) {
  const TemporaryFolder folder;
  QuantizeOptions options;
  options.imatrix = write_file(
      folder / "my.dat", raw_imatrix({{"blk.1.attn_q.weight", 3, std::vector<float>(256, 6)}}) +
                             raw_i32(40) + raw_text("wiki.txt"));
  const auto result = quantize(kLab7m, {{"q4_0", folder / "out.gguf"}}, options);
  EXPECT_EQ(result.importance_tensors, 1u);
  const GgufFile file(folder / "out.gguf");
  EXPECT_EQ(file.metadata().find_string("quantize.imatrix.file"),
            options.imatrix.filename().string());
  EXPECT_EQ(file.metadata().find_string("quantize.imatrix.dataset"), "wiki.txt");
  EXPECT_EQ(file.metadata().find_uint("quantize.imatrix.entries_count"), 1u);
  EXPECT_EQ(file.metadata().find_uint("quantize.imatrix.chunks_count"), 40u);
}

TEST(Importance, OfAnotherModelIsRefusedBeforeAnythingIsWritten) {
  const TemporaryFolder folder;
  QuantizeOptions options;
  options.imatrix =
      write_file(folder / "my.dat", raw_imatrix({{"blk.1.attn_q.weight", 1, {1, 2, 3}}}));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"blk.1.attn_q.weight", "3 values", "256"}, [&] {
    quantize(kLab7m, {{"q4_0", folder / "out.gguf"}}, options);
  }));
  EXPECT_EQ(folder.count_files(), 1u);
}

}  // namespace
}  // namespace nibble
