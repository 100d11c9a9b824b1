#include "base/output_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "nibble/text_file.h"
#include "support/files.h"

namespace nibble {
namespace {

class OutputFileTest : public testing::Test {
 protected:
  testing::AssertionResult refuses(ErrorCode code, const std::filesystem::path& target,
                                   uint64_t bytes) {
    return fails_with(code, {target.string()}, [&] { OutputFile file(target, bytes); });
  }

  TemporaryFolder folder_;
  std::filesystem::path target_ = folder_ / "out";
};

TEST_F(OutputFileTest, AppearsWholeWhenCommitted) {
  OutputFile file(target_, 5008);
  file.write_at(5004, bytes_of("tail"));
  file.write_at(0, bytes_of("head"));
  EXPECT_FALSE(std::filesystem::exists(target_));
  file.commit();
  EXPECT_EQ(read_file(target_), "head" + std::string(5000, '\0') + "tail");
  EXPECT_EQ(folder_.count_files(), 1u);
}

TEST_F(OutputFileTest, RefusesBytesPastItsEnd) {
  OutputFile file(target_, 10);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"out"}, [&] { file.write_at(8, bytes_of("abc")); }));
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, {"out"}, [&] { file.write_at(UINT64_MAX, bytes_of("a")); }));
}

TEST_F(OutputFileTest, LeavesNothingAfterAnException) {
  EXPECT_THROW(
      {
        OutputFile file(target_, 4);
        file.write_at(0, bytes_of("half"));
        throw std::runtime_error("cancelled");
      },
      std::runtime_error);
  EXPECT_EQ(folder_.count_files(), 0u);
}

TEST_F(OutputFileTest, TouchesTheOldFileOnlyWhenCommitted) {
  write_file(target_, "old");
  {
    OutputFile file(target_, 3);
    file.write_at(0, bytes_of("new"));
  }
  EXPECT_EQ(read_file(target_), "old");
  OutputFile file(target_, 3);
  file.write_at(0, bytes_of("new"));
  EXPECT_EQ(read_file(target_), "old");
  file.commit();
  EXPECT_EQ(read_file(target_), "new");
}

TEST_F(OutputFileTest, KeepsItsBytesForTheNextIfAsked) {
  {
    OutputFile file(target_, 8, Unfinished::kKeep);
    file.keep();
    file.write_at(0, bytes_of("gone"));
  }
  {
    OutputFile file(target_, 8, Unfinished::kKeep);
    file.keep();
    file.write_at(4, bytes_of("tail"));
  }
  EXPECT_EQ(read_file(part_path(target_)), std::string(4, '\0') + "tail");
  OutputFile file(target_, 8, Unfinished::kResume);
  std::string found(4, ' ');
  file.read_at(4, std::as_writable_bytes(std::span(found)));
  EXPECT_EQ(found, "tail");
  file.write_at(0, bytes_of("head"));
  file.commit();
  EXPECT_EQ(read_file(target_), "headtail");
  EXPECT_EQ(folder_.count_files(), 1u);
}

TEST_F(OutputFileTest, LeavesNothingUnlessToldToKeepIt) {
  { OutputFile file(target_, 8, Unfinished::kKeep); }
  EXPECT_EQ(folder_.count_files(), 0u);
  {
    OutputFile file(target_, 8, Unfinished::kKeep);
    file.keep();
    file.discard();
  }
  EXPECT_EQ(folder_.count_files(), 0u);
}

TEST_F(OutputFileTest, LetsOnlyOneWriteWhatIsKept) {
  OutputFile file(target_, 8, Unfinished::kKeep);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {target_.string(), "another process"},
                         [&] { OutputFile second(target_, 8, Unfinished::kKeep); }));
}

// What a killed process of the same pid left must neither stop the next nor be touched by it.
TEST_F(OutputFileTest, LeavesTheTemporaryOfAnotherAlone) {
  OutputFile other(target_, 5);
  other.write_at(0, bytes_of("other"));
  {
    OutputFile file(target_, 4);
    file.write_at(0, bytes_of("mine"));
    file.commit();
  }
  EXPECT_EQ(read_file(target_), "mine");
  EXPECT_EQ(folder_.count_files(), 2u);
  other.commit();
  EXPECT_EQ(read_file(target_), "other");
}

TEST_F(OutputFileTest, ChecksTheFreeSpaceFirst) {
  EXPECT_TRUE(fails_with(ErrorCode::kNoSpace, {target_.string(), "are needed", "free"},
                         [&] { OutputFile file(target_, uint64_t{1} << 62); }));
  EXPECT_EQ(folder_.count_files(), 0u);
}

TEST_F(OutputFileTest, WantsAFolderThatExists) {
  EXPECT_TRUE(refuses(ErrorCode::kIo, folder_ / "none/out", 0));
  EXPECT_TRUE(refuses(ErrorCode::kIo, folder_.path(), 0));
  write_file(target_, "a file");
  EXPECT_TRUE(refuses(ErrorCode::kIo, target_ / "out", 0));
}

TEST_F(OutputFileTest, WantsANameThatTheFileSystemTakes) {
  EXPECT_TRUE(refuses(ErrorCode::kIo, folder_ / std::string(300, 'n'), 0));
}

TEST_F(OutputFileTest, WantsAFolderThatIsWritable) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  ::chmod(folder_.path().c_str(), 0500);
  EXPECT_TRUE(refuses(ErrorCode::kIo, target_, 0));
  ::chmod(folder_.path().c_str(), 0700);
}

// A limit on file sizes stands in for a disk that fills up while writing.
class SmallFiles {
 public:
  SmallFiles() : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit small{4096, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallFiles() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;

 private:
  rlimit old_{};
  sighandler_t old_handler_;
};

TEST_F(OutputFileTest, ReportsAWriteThatFailsAndLeavesNothing) {
  const SmallFiles limit;
  const auto result = fails_with(ErrorCode::kIo, {target_.string(), "cannot write"}, [&] {
    OutputFile file(target_, 4096);
    file.write_at(0, bytes_of(std::string(4000, 'x')));
    OutputFile larger(target_, 100000);
  });
  EXPECT_TRUE(result);
  EXPECT_EQ(folder_.count_files(), 0u);
}

TEST_F(OutputFileTest, LeavesWhatAnEarlierOneLeftWhenItCannotBegin) {
  write_file(part_path(target_), "left");
  const SmallFiles limit;
  EXPECT_TRUE(fails_with(ErrorCode::kIo, {target_.string()},
                         [&] { OutputFile file(target_, 100000, Unfinished::kResume); }));
  EXPECT_EQ(read_file(part_path(target_)), "left");
}

TEST_F(OutputFileTest, TextReplacesWhatStoodThereWholeOrNotAtAll) {
  write_text_file(target_, "the first text");
  write_text_file(target_, "another");
  EXPECT_EQ(read_file(target_), "another");
  const SmallFiles limit;
  EXPECT_TRUE(fails_with(ErrorCode::kIo, {target_.string()},
                         [&] { write_text_file(target_, std::string(100000, 'x')); }));
  EXPECT_EQ(read_file(target_), "another");
  EXPECT_EQ(folder_.count_files(), 1u);
}

}  // namespace
}  // namespace nibble
