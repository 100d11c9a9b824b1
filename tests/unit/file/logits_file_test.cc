// Files of llama-perplexity --kl-divergence-base, written and read, and what is wrong with bad
// ones.
#include "file/logits_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/input_file.h"
#include "support/files.h"
#include "support/random.h"

namespace nibble {
namespace {

constexpr LogitsLayout kLayout = {.context = 8, .vocab_size = 5, .windows = 2};
constexpr size_t kTokensAt = 20, kRowsAt = kTokensAt + 16 * 4, kRow = 8 + 12;

double log_sum_of(const std::vector<float>& logits) {
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
  return std::log(sum);
}

std::vector<float> logits_of(int64_t window, int64_t row) {
  return random_floats(5, 3.0f, static_cast<uint64_t>(10 * window + row));
}

std::string a_file() {
  const TemporaryFolder folder;
  std::vector<uint32_t> tokens;
  for (uint32_t i = 0; i < 16; ++i) tokens.push_back(i % 5);
  LogitsFileWriter writer(folder / "x", kLayout, tokens);
  for (int64_t w = 0; w < 2; ++w) {
    for (int64_t row = 0; row < kLayout.scored(); ++row) {
      const auto logits = logits_of(w, row);
      writer.write(w, row, logits.data(), log_sum_of(logits));
    }
  }
  writer.commit();
  return read_file(folder / "x");
}

template <class T>
std::string with(std::string file, size_t offset, T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return file.replace(offset, sizeof value, bytes);
}

TEST(LogitsFile, GivesBackWhatWasWritten) {
  const std::string bytes = a_file();
  EXPECT_EQ(bytes.size(), kRowsAt + 6 * kRow);
  const LogitsFile file(bytes_of(bytes), "x");
  EXPECT_EQ(file.layout().context, 8);
  EXPECT_EQ(file.layout().vocab_size, 5);
  EXPECT_EQ(file.layout().windows, 2);
  EXPECT_EQ(file.tokens()[7], 2u);
  for (int64_t w = 0; w < 2; ++w) {
    for (int64_t row = 0; row < 3; ++row) {
      const auto logits = logits_of(w, row);
      std::vector<float> read(5);
      file.read(w, row, read.data());
      for (size_t i = 0; i < 5; ++i) {
        // Half a step of 65535 in a range of 6 at most.
        EXPECT_NEAR(read[i], logits[i] - log_sum_of(logits), 0.51 * 6 / 65535);
      }
    }
  }
}

TEST(LogitsFile, CutsRowsOffSixteenBelowTheirLargest) {
  const std::vector<float> logits = {0, -3, -15.9f, -16.5f, -80};
  const auto row = encode_logits(kLayout, logits.data(), log_sum_of(logits));
  uint16_t codes[5];
  std::memcpy(codes, row.data() + 8, sizeof codes);
  EXPECT_EQ(codes[0], 65535);
  EXPECT_EQ(codes[1], 53247);  // 13 / 16 * 65535 = 53247.2
  EXPECT_GT(codes[2], 0);
  EXPECT_EQ(codes[3], 0);
  EXPECT_EQ(codes[4], 0);
}

TEST(LogitsFile, HasNoScaleWhereAllAreEqual) {
  const std::vector<float> logits(5, 2.0f);
  std::string bytes = a_file();
  const auto row = encode_logits(kLayout, logits.data(), log_sum_of(logits));
  std::memcpy(bytes.data() + kRowsAt, row.data(), row.size());
  std::vector<float> read(5);
  LogitsFile(bytes_of(bytes), "x").read(0, 0, read.data());
  for (const float value : read) EXPECT_NEAR(value, -std::log(5.0), 1e-6);
}

TEST(LogitsFile, NamesWhatIsWrongWithTheHeader) {
  const std::string good = a_file();
  const auto refuses = [](const std::string& bytes, const std::vector<std::string>& fragments) {
    return fails_with(ErrorCode::kInvalidFile, fragments,
                      [&] { LogitsFile(bytes_of(bytes), "x"); });
  };
  EXPECT_TRUE(refuses(with(good, 0, 'X'), {"x", "signature", "Xlogits_"}));
  EXPECT_TRUE(refuses(with(good, 8, 3), {"context", "3", "at least 4"}));
  EXPECT_TRUE(refuses(with(good, 12, 0), {"vocabulary size", "0"}));
  EXPECT_TRUE(refuses(with(good, 16, -1), {"windows", "-1"}));
  EXPECT_TRUE(refuses(with(good, 16, 3), {"cut off or damaged"}));
  EXPECT_TRUE(refuses(good.substr(0, good.size() - 1), {"cut off or damaged"}));
  EXPECT_TRUE(refuses(good.substr(0, 15), {"vocabulary size"}));
  EXPECT_TRUE(refuses(with(good, kTokensAt + 8, 5), {"tokens", "5", "below 5"}));
  EXPECT_TRUE(refuses(with(good, kTokensAt + 8, -1), {"tokens", "-1"}));
}

TEST(LogitsFile, RefusesSizesThatDoNotFitANumber) {
  std::string bytes = with(with(with(a_file(), 8, INT32_MAX), 12, INT32_MAX), 16, INT32_MAX);
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"cut off or damaged"},
                         [&] { LogitsFile(bytes_of(bytes), "x"); }));
}

TEST(LogitsFile, RefusesRowsThatAreNoProbabilities) {
  const auto refuses = [](const std::string& bytes) {
    return fails_with(ErrorCode::kInvalidFile, {"x", "offset", "damaged"}, [&] {
      std::vector<float> row(5);
      LogitsFile(bytes_of(bytes), "x").read(0, 0, row.data());
    });
  };
  const std::string good = a_file();
  EXPECT_TRUE(refuses(with(good, kRowsAt, std::nanf(""))));
  EXPECT_TRUE(refuses(with(good, kRowsAt, -1e-4f)));
  EXPECT_TRUE(refuses(with(good, kRowsAt, 1.0f)));
  EXPECT_TRUE(refuses(with(good, kRowsAt + 4, -INFINITY)));
  EXPECT_TRUE(refuses(with(good, kRowsAt + 4, -1000.0f)));
}

}  // namespace
}  // namespace nibble
