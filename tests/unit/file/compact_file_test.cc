// Compact references, written and read, and what is wrong with bad ones.
#include "file/compact_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "file/logits_file.h"
#include "support/files.h"

namespace nibble {
namespace {

constexpr size_t kTokensAt = 40;

CompactLayout layout_of(int64_t vocab_size) {
  return {.context = 4,
          .vocab_size = vocab_size,
          .windows = 2,
          .top = 2,
          .samples = 2,
          .vocabulary_hash = 77};
}

CompactRow row_of(int64_t window) {
  const auto half = std::log(0.5f), quarter = std::log(0.25f);
  return {.tail_mass = 0.25f,
          .next_log_p = -3.5f,
          .top = {{static_cast<uint32_t>(4 + window), half}, {1, quarter}},
          .samples = {{0, -4.0f}, {2, -40.0f}}};
}

std::string a_file(int64_t vocab_size = 6) {
  const TemporaryFolder folder;
  const std::vector<uint32_t> tokens = {0, 1, 2, 3, 4, 5, 0, 1};
  CompactFileWriter writer(folder / "x", layout_of(vocab_size), tokens);
  for (int64_t w = 0; w < 2; ++w) writer.write(w, 0, row_of(w));
  writer.commit();
  return read_file(folder / "x");
}

template <class T>
std::string with(std::string file, size_t offset, T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return file.replace(offset, sizeof value, bytes);
}

testing::AssertionResult refuses(const std::string& bytes,
                                 const std::vector<std::string>& fragments) {
  return fails_with(ErrorCode::kInvalidFile, fragments, [&] {
    CompactRow row;
    CompactFile(bytes_of(bytes), "x").read(1, 0, row);
  });
}

void expect_the_rows(int64_t vocab_size) {
  const std::string bytes = a_file(vocab_size);
  const CompactFile file(bytes_of(bytes), "x");
  EXPECT_EQ(bytes.size(), file.layout().file_bytes());
  EXPECT_EQ(file.layout().vocabulary_hash, 77u);
  EXPECT_EQ(file.tokens()[5], 5u);
  CompactRow row;
  file.read(1, 0, row);
  EXPECT_EQ(row.tail_mass, 0.25f);
  EXPECT_EQ(row.next_log_p, -3.5f);
  EXPECT_EQ(row.top[0].id, 5u);
  EXPECT_NEAR(row.top[1].log_p, std::log(0.25f), 0.5f / 2048);
  EXPECT_EQ(row.samples[0].log_p, -4.0f);
  EXPECT_NEAR(row.samples[1].log_p, -32, 1e-3);  // the least that a code can say
}

TEST(CompactFile, GivesBackWhatWasWritten) {
  expect_the_rows(6);
  EXPECT_EQ(a_file(6).size(), kTokensAt + 8 * 4 + 2 * (8 + 4 * (2 + 2)));
}

TEST(CompactFile, HasWideIdsForLargeVocabularies) {
  expect_the_rows(65537);
  EXPECT_EQ(a_file(65537).size(), kTokensAt + 8 * 4 + 2 * (8 + 4 * (4 + 2)));
}

TEST(CompactFile, TakesAFiftiethOfAllLogProbabilities) {
  for (const int64_t vocab_size : {4096, 32000, 128256, 262144}) {
    CompactLayout layout = {.context = 512, .vocab_size = vocab_size, .windows = 10};
    choose_sizes(layout);
    const LogitsLayout logits = {512, vocab_size, 10};
    EXPECT_LE(50 * layout.file_bytes(), logits.file_bytes()) << vocab_size;
    EXPECT_GE(layout.top, 24) << vocab_size;
    EXPECT_GE(layout.samples, 6) << vocab_size;
  }
  CompactLayout small = {.context = 8, .vocab_size = 5, .windows = 1};
  choose_sizes(small);  // no fiftieth of that is enough
  EXPECT_EQ(small.top, 1);
  EXPECT_EQ(small.samples, 2);
}

TEST(CompactFile, NamesWhatIsWrongWithTheHeader) {
  const std::string good = a_file();
  EXPECT_TRUE(refuses(with(good, 0, 'X'), {"x", "signature", "XIBLREF1"}));
  EXPECT_TRUE(refuses(with(good, 8, 3), {"context", "3", "at least 4"}));
  EXPECT_TRUE(refuses(with(good, 12, 0), {"vocabulary size", "0"}));
  EXPECT_TRUE(refuses(with(good, 16, -2), {"windows", "-2"}));
  EXPECT_TRUE(refuses(with(good, 20, 0), {"top", "0"}));
  EXPECT_TRUE(refuses(with(good, 20, 7), {"top of 7", "vocabulary of 6"}));
  EXPECT_TRUE(refuses(with(good, 24, 1), {"1 samples"}));
  EXPECT_TRUE(refuses(with(good, 24, 3), {"cut off or damaged"}));
  EXPECT_TRUE(refuses(with(good, kTokensAt, 6), {"tokens", "6"}));
  EXPECT_TRUE(refuses(good.substr(0, good.size() - 1), {"cut off or damaged"}));
  EXPECT_TRUE(refuses(good.substr(0, 30), {"reserved"}));
  EXPECT_TRUE(refuses(with(with(with(good, 8, INT32_MAX), 16, INT32_MAX), 24, INT32_MAX),
                      {"cut off or damaged"}));
  EXPECT_TRUE(fails_with(ErrorCode::kUnsupported, {"reserved", "later version"},
                         [&] { CompactFile(bytes_of(with(good, 28, 1)), "x"); }));
}

TEST(CompactFile, RefusesRowsThatAreNoDistribution) {
  const std::string good = a_file();
  const size_t row = good.size() - (8 + 4 * (2 + 2));
  EXPECT_TRUE(refuses(with(good, row, 0.5f), {"offset", "do not add up to 1"}));
  EXPECT_TRUE(refuses(with(good, row, std::nanf("")), {"do not add up to 1"}));
  EXPECT_TRUE(refuses(with(good, row + 4, 1.0f), {"do not add up to 1"}));
  EXPECT_TRUE(refuses(with(good, row + 4, -INFINITY), {"do not add up to 1"}));
  EXPECT_TRUE(refuses(with(good, row + 8, uint16_t{6}), {"not in the vocabulary of 6"}));
  EXPECT_TRUE(refuses(with(good, row + 12, uint16_t{0}), {"do not add up to 1"}));
  EXPECT_TRUE(refuses(with(good, row + 16, uint16_t{600}), {"not in the vocabulary of 6"}));
}

TEST(VocabularyHash, TellsTokensApart) {
  const std::vector<std::string> a = {"ab", "c"}, b = {"a", "bc"}, c = {"c", "ab"};
  EXPECT_NE(vocabulary_hash(a), vocabulary_hash(b));
  EXPECT_NE(vocabulary_hash(a), vocabulary_hash(c));
  EXPECT_EQ(vocabulary_hash(a), vocabulary_hash(a));
}

}  // namespace
}  // namespace nibble
