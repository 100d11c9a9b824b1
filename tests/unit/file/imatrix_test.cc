// Importance matrices in both layouts, and what is wrong with damaged ones.
#include "file/imatrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "support/files.h"
#include "support/imatrix.h"
#include "unit/file/raw_gguf.h"

namespace nibble {
namespace {

// blk.0.ffn_down.weight of 2 columns and 2 experts.
struct RawImatrix {
  std::vector<float> sums = {2, 4, 30, 60};
  std::vector<float> counts = {2, 3};
  uint32_t type = 0;
  std::string counts_name = "blk.0.ffn_down.weight.counts";

  std::string build() const {
    RawGguf raw;
    raw.add_key("general.type", kString, text("imatrix"));
    raw.add_array("imatrix.datasets", kString, 2, text("a.txt") + text("b.txt"));
    raw.add_key("imatrix.chunk_count", kU32, number(uint32_t{7}));
    raw.tensors = {{"blk.0.ffn_down.weight.in_sum2", {2, sums.size() / 2}, type, 0},
                   {counts_name, {1, counts.size()}, 0, 32}};
    raw.weights = raw_floats(sums);
    raw.weights.resize(32);
    raw.weights += raw_floats(counts);
    return raw.build();
  }
};

ImportanceMatrix parse(const std::string& bytes) {
  return parse_imatrix(bytes_of(bytes), "my.imatrix");
}

testing::AssertionResult is_refused(const std::string& bytes,
                                    const std::vector<std::string>& fragments) {
  return fails_with(ErrorCode::kInvalidFile, fragments, [&] { parse(bytes); });
}

TEST(Imatrix, ReadsMeansFromDat) {
  const auto matrix = parse(raw_imatrix({{"a.weight", 4, {8, 0, 2}}, {"b", 0, {3}}}) + raw_i32(5) +
                            raw_text("wiki.txt"));
  ASSERT_EQ(matrix.entries.size(), 2u);
  EXPECT_EQ(matrix.entries.at("a.weight").means(), (std::vector<float>{2, 0, 0.5}));
  EXPECT_EQ(matrix.entries.at("b").means(), (std::vector<float>{3}));
  EXPECT_EQ(matrix.chunks, 5u);
  EXPECT_EQ(matrix.datasets, (std::vector<std::string>{"wiki.txt"}));
}

TEST(Imatrix, ReadsADatWithoutDataSet) {
  const auto matrix = parse(raw_imatrix({{"a", 1, {1}}}));
  EXPECT_EQ(matrix.chunks, 0u);
  EXPECT_TRUE(matrix.datasets.empty());
}

TEST(Imatrix, ReadsSumsAndCountsOfEveryExpertFromGguf) {
  const auto matrix = parse(RawImatrix{}.build());
  ASSERT_EQ(matrix.entries.size(), 1u);
  const ImportanceEntry expected = {{2, 4, 30, 60}, {2, 3}};
  EXPECT_EQ(matrix.entries.at("blk.0.ffn_down.weight"), expected);
  EXPECT_EQ(matrix.chunks, 7u);
  EXPECT_EQ(matrix.datasets, (std::vector<std::string>{"a.txt", "b.txt"}));
}

TEST(ImportanceEntry, PullsExpertsThatSawFewRowsToTheMeanOfAll) {
  // Over all 2000 rows the means are 4 and 2.
  const ImportanceEntry entry = {{8000 - 16, 0, 16, 4000, 0, 0}, {1984, 16, 0}};
  const auto means = entry.means();
  EXPECT_FLOAT_EQ(means[0], (7984 + 16 * 4) / 2000.0f);
  EXPECT_FLOAT_EQ(means[1], 16 * 2 / 2000.0f);
  EXPECT_FLOAT_EQ(means[2], (16 + 16 * 4) / 32.0f);
  EXPECT_FLOAT_EQ(means[3], (4000 + 16 * 2) / 32.0f);
  EXPECT_EQ(std::vector<float>(means.begin() + 4, means.end()), (std::vector<float>{4, 2}));
}

TEST(ImportanceEntry, WeighsAllColumnsAlikeWhenNothingWasMet) {
  EXPECT_EQ((ImportanceEntry{{0, 0}, {0}}.means()), (std::vector<float>{1, 1}));
}

TEST(Imatrix, RefusesCountsOfPartsOfRows) {
  EXPECT_TRUE(is_refused(RawImatrix{.counts = {2, 0.5}}.build(), {"counts", "0.5", "at least 1"}));
}

TEST(Imatrix, ReadsTheDatThatItWrites) {
  ImportanceMatrix matrix;
  matrix.datasets = {"a.txt"};
  matrix.chunks = 5;
  matrix.entries = {{"a.weight", {{3, 6}, {3}}}, {"b.weight", {{8}, {2}}}};
  const auto read = parse(imatrix_dat_bytes(matrix));
  EXPECT_EQ(read.datasets, matrix.datasets);
  EXPECT_EQ(read.chunks, 5u);
  ASSERT_EQ(read.entries.size(), 2u);
  EXPECT_EQ(read.entries.at("a.weight").means(), (std::vector<float>{1, 2}));
  EXPECT_EQ(read.entries.at("b.weight").means(), (std::vector<float>{4}));
}

TEST(Imatrix, NamesTensorAndColumnOfAValueThatIsNone) {
  for (const float value : {-1.0f, std::nanf(""), INFINITY}) {
    EXPECT_TRUE(is_refused(raw_imatrix({{"a.weight", 1, {1, value}}}),
                           {"my.imatrix", "a.weight", "column 1", ">= 0"}));
    EXPECT_TRUE(is_refused(RawImatrix{.sums = {1, 1, 1, value}}.build(),
                           {"ffn_down", "column 1 of expert 1"}));
    EXPECT_TRUE(is_refused(RawImatrix{.counts = {1, value}}.build(), {"ffn_down.weight.counts"}));
  }
}

TEST(Imatrix, RefusesADatThatIsCutShortAnywhere) {
  const std::string whole = raw_imatrix({{"a.weight", 4, {8, 0, 2}}});
  const std::string tail = raw_i32(5) + raw_text("wiki.txt");
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_TRUE(is_refused(whole.substr(0, length), {"my.imatrix"})) << length;
  }
  for (size_t length = 1; length < tail.size(); ++length) {
    EXPECT_TRUE(is_refused(whole + tail.substr(0, length), {"my.imatrix"})) << length;
  }
}

TEST(Imatrix, RefusesCountsThatTheFileCannotHold) {
  EXPECT_TRUE(is_refused(raw_i32(INT32_MAX) + std::string(64, 'x'), {"entry count"}));
  EXPECT_TRUE(
      is_refused(raw_i32(static_cast<size_t>(-1)) + std::string(64, 'x'), {"entry count", "-1"}));
  EXPECT_TRUE(is_refused(raw_i32(0), {"entry count", "at least 1"}));
  const std::string names = raw_i32(1) + raw_i32(1 << 30) + std::string(64, 'x');
  EXPECT_TRUE(is_refused(names, {"entry 1 of 1"}));
  const std::string values =
      raw_i32(1) + raw_text("a") + raw_i32(1) + raw_i32(1 << 30) + std::string(64, 'x');
  EXPECT_TRUE(is_refused(values, {"values of a"}));
  EXPECT_TRUE(is_refused(raw_imatrix({{"a", -1, {1}}}), {"calls of a", "-1"}));
}

TEST(Imatrix, RefusesTwoEntriesOfOneTensor) {
  EXPECT_TRUE(is_refused(raw_imatrix({{"a", 1, {1}}, {"a", 1, {1}}}), {"more than one entry"}));
}

TEST(Imatrix, RefusesGgufWhosePartsDoNotBelongTogether) {
  EXPECT_TRUE(is_refused(RawImatrix{.counts = {1}}.build(), {"found 1 counts, expected 2"}));
  EXPECT_TRUE(is_refused(RawImatrix{.counts_name = "x"}.build(), {".counts is missing"}));
  EXPECT_TRUE(is_refused(RawImatrix{.type = 1}.build(), {"in_sum2", "f16", "expected f32"}));
  EXPECT_TRUE(is_refused(small_gguf().build(), {"no tensor NAME.in_sum2"}));
}

TEST(Imatrix, SeedsOfTheFuzzerAreReadUnlessTheyAreBad) {
  for (const auto& seed : fuzz_seeds("imatrix")) {
    if (seed.filename().string().starts_with("bad_")) {
      EXPECT_TRUE(
          fails_with(ErrorCode::kInvalidFile, {seed.string()}, [&] { read_imatrix(seed); }));
    } else {
      EXPECT_FALSE(read_imatrix(seed).entries.empty()) << seed;
    }
  }
}

TEST(Imatrix, ReadsWhatStockWrote) {
  const auto path = shared_path("golden/stock_lab7m_imatrix.dat");
  NIBBLE_REQUIRE_SHARED(path);
  const auto matrix = read_imatrix(path);
  EXPECT_EQ(matrix.entries.size(), 42u);
  EXPECT_EQ(matrix.chunks, 400u);
  EXPECT_EQ(matrix.datasets, (std::vector<std::string>{"text/train_sample.txt (400 x256)"}));
  EXPECT_EQ(matrix.entries.at("blk.3.ffn_down.weight").sums.size(), 768u);
  EXPECT_FLOAT_EQ(matrix.entries.at("blk.5.attn_output.weight").means()[0], 495.37106f / 400);
}

}  // namespace
}  // namespace nibble
