#include "nibble/verify.h"

#include <gtest/gtest.h>

#include "file/gguf.h"
#include "nibble/quantize.h"
#include "support/files.h"

namespace nibble {
namespace {

const std::filesystem::path kImatrix = repository_path("tests/golden/lab-7m/imatrix.dat");

class VerifyTest : public testing::Test {
 protected:
  VerifyTest() { quantize(kLab7m, {{"q4_0", file_}}); }

  // Changes the last byte of a tensor.
  void spoil(const std::string& name) {
    std::string bytes = read_file(file_);
    {
      const GgufFile gguf(file_);
      const auto begin = reinterpret_cast<const char*>(gguf.files().front()->map().data());
      for (size_t i = 0; i < gguf.tensors().size(); ++i) {
        if (gguf.tensors()[i].name != name) continue;
        const auto at = reinterpret_cast<const char*>(gguf.view(i).data()) - begin;
        char& last = bytes.at(static_cast<size_t>(at) + gguf.tensors()[i].bytes() - 1);
        last = static_cast<char>(last ^ 1);
      }
    }
    write_file(file_, bytes);
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "q4_0.gguf";
};

TEST_F(VerifyTest, ComparesEveryByte) {
  const auto result = verify(file_, kLab7m);
  EXPECT_TRUE(result.problems.empty());
  EXPECT_TRUE(result.notes.empty());
  EXPECT_EQ(result.bytes_compared, result.bytes);
}

TEST_F(VerifyTest, NamesTheTensorThatDiffers) {
  spoil("blk.3.ffn_up.weight");
  const auto result = verify(file_, kLab7m);
  ASSERT_EQ(result.problems.size(), 1u);
  EXPECT_EQ(result.problems[0].tensor, "blk.3.ffn_up.weight");
  EXPECT_NE(result.problems[0].what.find("1 of its 768 rows"), std::string::npos)
      << result.problems[0].what;
}

TEST_F(VerifyTest, TakesAFileWithoutARecordAsMadeByDefault) {
  const auto bare = folder_ / "bare.gguf";
  QuantizeOptions options;
  options.lock_record = false;
  quantize(kLab7m, {{"q4_0", bare}}, options);
  const GgufFile file(bare);
  EXPECT_EQ(read_file(bare).find("nibble.lock."), std::string::npos);
  EXPECT_LE(std::filesystem::file_size(bare) + 72 * file.tensors().size(),
            std::filesystem::file_size(file_));
  const auto result = verify(bare, kLab7m);
  EXPECT_TRUE(result.problems.empty());
  EXPECT_EQ(result.notes.size(), 1u);
}

// Nothing in the file says by which effort it was made, so another one may not leave it as it is.
TEST_F(VerifyTest, ResumingMakesAFileWithoutARecordAnew) {
  const auto bare = folder_ / "bare.gguf", fast = folder_ / "fast.gguf";
  QuantizeOptions options;
  options.lock_record = false;
  quantize(kLab7m, {{"q4_0", bare}}, options);
  options.effort = Effort::kFast;
  quantize(kLab7m, {{"q4_0", fast}}, options);
  options.resume = true;
  quantize(kLab7m, {{"q4_0", bare}}, options);
  EXPECT_EQ(read_file(bare), read_file(fast));
}

TEST_F(VerifyTest, ComparesASampleThatTheSeedDecides) {
  VerifyOptions options;
  options.sample = 0.1;
  const auto first = verify(file_, kLab7m, options);
  EXPECT_TRUE(first.problems.empty());
  EXPECT_GT(first.bytes_compared, 0u);
  EXPECT_LT(first.bytes_compared, first.bytes / 2);
  EXPECT_EQ(verify(file_, kLab7m, options).bytes_compared, first.bytes_compared);
  options.sample = 0;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"share"}, [&] { verify(file_, kLab7m, options); }));
}

TEST_F(VerifyTest, KnowsWhichEntriesOfTheImportanceMatrixWereUsed) {
  VerifyOptions options;
  options.imatrix = kImatrix;
  QuantizeOptions made;
  made.imatrix = kImatrix;
  made.exclude_weights = {"attn_q", "ffn_down"};
  quantize(kLab7m, {{"q4_0", file_}}, made);
  EXPECT_TRUE(verify(file_, kLab7m, options).problems.empty());
  made.exclude_weights.clear();
  made.include_weights = {"attn_q"};
  quantize(kLab7m, {{"q4_0", file_}}, made);
  EXPECT_TRUE(verify(file_, kLab7m, options).problems.empty());
}

TEST_F(VerifyTest, NoticesASourceThatWasQuantizedMeanwhile) {
  quantize(kLab7m, {{"q8_0", folder_ / "q8_0.gguf"}});
  const auto result = verify(file_, folder_ / "q8_0.gguf");
  EXPECT_FALSE(result.problems.empty());
}

}  // namespace
}  // namespace nibble
