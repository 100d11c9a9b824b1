#include "calib/checkpoint.h"

#include <gtest/gtest.h>

#include "base/xxh64.h"
#include "support/files.h"

namespace nibble {
namespace {

// Of attention in layer 1, and of two experts, of which the first met nothing.
std::vector<InputStatistics> some_inputs() {
  return {{{Role::kAttnQ, Role::kAttnK}, 1, 2, {1.5, 2}, {7}, {{1, 2, 3}}},
          {{Role::kFfnUpExperts}, 0, 2, {0, 0, 3, 4}, {0, 5}, {{}, {4, 5, 6}}}};
}

class CheckpointTest : public testing::Test {
 protected:
  std::string written() const {
    CalibrationProgress progress = {2, 40, some_inputs()};
    for (auto& input : progress.measured)
      for (auto& moments : input.moments) moments.clear();
    write_checkpoint(folder_ / "x.checkpoint", "model: a\ntext: b\n", progress, some_inputs());
    return read_file(folder_ / "x.checkpoint");
  }
  static testing::AssertionResult is_refused(const std::string& bytes,
                                             const std::vector<std::string>& fragments) {
    return fails_with(ErrorCode::kInvalidFile, fragments,
                      [&] { parse_checkpoint(bytes_of(bytes), "x.checkpoint"); });
  }
  // With a checksum that is right.
  static std::string sealed(std::string bytes) {
    bytes.resize(bytes.size() - 8);
    const uint64_t checksum = xxh64(bytes_of(bytes));
    return bytes.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
  }

  TemporaryFolder folder_;
};

TEST_F(CheckpointTest, ReadsWhatItWrites) {
  const auto checkpoint = parse_checkpoint(bytes_of(written()), "x.checkpoint");
  EXPECT_EQ(checkpoint.work, "model: a\ntext: b\n");
  EXPECT_EQ(checkpoint.progress.passes, 2u);
  EXPECT_EQ(checkpoint.progress.chunks, 40u);
  EXPECT_EQ(checkpoint.inputs, some_inputs());
  ASSERT_EQ(checkpoint.progress.measured.size(), 2u);
  EXPECT_EQ(checkpoint.progress.measured[1].sums, some_inputs()[1].sums);
  EXPECT_EQ(folder_.count_files(), 1u);
}

TEST_F(CheckpointTest, RefusesOneThatIsCutShortOrChangedAnywhere) {
  const std::string whole = written();
  for (size_t length = 0; length < whole.size(); ++length)
    ASSERT_TRUE(is_refused(whole.substr(0, length), {"x.checkpoint"})) << length;
  for (size_t i = 8; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] ^= 0x40;
    ASSERT_TRUE(is_refused(changed, {"damaged"})) << i;
  }
}

TEST_F(CheckpointTest, RefusesWhatAChecksumCannotTell) {
  const std::string whole = written();
  for (size_t length = 17; length < whole.size() - 8; ++length)
    ASSERT_TRUE(is_refused(sealed(whole.substr(0, length + 8)), {"x.checkpoint"})) << length;
  constexpr size_t kFirstInput = 8 + 8 + 17 + 8 + 8 + 8;  // layer, columns, experts, roles, ...
  for (const size_t field : {0, 1, 2, 3, 4}) {
    std::string changed = whole;
    changed.replace(kFirstInput + 8 * field, 8, std::string(8, '\xff'));
    ASSERT_TRUE(is_refused(sealed(changed), {"x.checkpoint", "input 1 of 2"})) << field;
  }
}

}  // namespace
}  // namespace nibble
