#include "base/input_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/files.h"

namespace nibble {
namespace {

class InputFileTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::filesystem::path path_ = write_file(folder_ / "in", "0123456789");
};

TEST_F(InputFileTest, ReadsAtAnyPosition) {
  const InputFile file(path_);
  std::string out(4, ' ');
  file.read(6, std::as_writable_bytes(std::span(out)));
  EXPECT_EQ(out, "6789");
  EXPECT_EQ(file.size(), 10u);
}

TEST_F(InputFileTest, MapsTheWholeFile) {
  const InputFile file(path_);
  const auto bytes = file.map();
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), "0123456789");
  EXPECT_TRUE(InputFile(write_file(folder_ / "empty", "")).map().empty());
}

TEST_F(InputFileTest, ForgottenBytesComeBackFromTheFile) {
  std::string text(100000, ' ');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
  const InputFile file(write_file(folder_ / "long", text));
  file.forget(0, text.size());  // not mapped yet: nothing to do
  const auto bytes = file.map();
  const auto seen = [&] {
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  EXPECT_EQ(seen(), text);
  file.forget(5000, 90000);
  file.forget(99000, 10);  // no whole page
  EXPECT_EQ(seen(), text);
}

TEST_F(InputFileTest, NeverReadsPastTheEnd) {
  const InputFile file(path_);
  std::vector<std::byte> out(4);
  for (const uint64_t offset : {uint64_t{7}, uint64_t{11}, UINT64_MAX}) {
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {path_.string(), "truncated"},
                           [&] { file.read(offset, out); }));
  }
}

TEST_F(InputFileTest, IsARegularFile) {
  EXPECT_TRUE(
      fails_with(ErrorCode::kNotFound, {"none"}, [&] { InputFile file(folder_ / "none"); }));
  EXPECT_TRUE(
      fails_with(ErrorCode::kNotFound, {"regular"}, [&] { InputFile file(folder_.path()); }));
}

TEST_F(InputFileTest, DoesNotWaitForAPipe) {
  const auto pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, {"regular"}, [&] { InputFile file(pipe); }));
}

TEST_F(InputFileTest, LimitsTextFiles) {
  EXPECT_EQ(read_text_file(path_), "0123456789");
  EXPECT_TRUE(fails_with(ErrorCode::kUnsupported, {path_.string(), "10 bytes"},
                         [&] { read_text_file(path_, 9); }));
}

}  // namespace
}  // namespace nibble
