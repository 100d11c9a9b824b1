#include "base/input_file.h"

#include <gtest/gtest.h>

#include <array>

#include "support/files.h"

namespace nibble {
namespace {

TEST(InputFile, ReadsAnyRangeAndMapsTheWhole) {
  const TemporaryFolder folder;
  const InputFile file(write_file(folder / "a", "0123456789"));
  EXPECT_EQ(file.size(), 10u);
  std::array<std::byte, 3> out;
  file.read(7, out);
  EXPECT_EQ(std::to_integer<char>(out[2]), '9');
  EXPECT_EQ(file.map().size(), 10u);
  EXPECT_EQ(std::to_integer<char>(file.map()[4]), '4');
}

TEST(InputFile, NeverReadsPastItsEnd) {
  const TemporaryFolder folder;
  const InputFile file(write_file(folder / "short", "0123456789"));
  std::array<std::byte, 4> out;
  for (const uint64_t offset : {uint64_t{7}, uint64_t{10}, uint64_t{11}, UINT64_MAX}) {
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"short", "truncated"}, [&] {
      file.read(offset, out);
    })) << offset;
  }
}

TEST(InputFile, AnEmptyFileMapsToNothing) {
  const TemporaryFolder folder;
  EXPECT_TRUE(InputFile(write_file(folder / "empty", "")).map().empty());
}

TEST(InputFile, RefusesWhatIsNoFile) {
  const TemporaryFolder folder;
  const auto open = [](const std::filesystem::path& path) { return [=] { InputFile file(path); }; };
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, {"missing"}, open(folder / "missing")));
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, {"regular file"}, open(folder.path())));
}

TEST(InputFile, TextHasALimit) {
  const TemporaryFolder folder;
  const auto path = write_file(folder / "text", "0123456789");
  EXPECT_EQ(read_text_file(path, 10), "0123456789");
  EXPECT_TRUE(
      fails_with(ErrorCode::kUnsupported, {"text", "10", "9"}, [&] { read_text_file(path, 9); }));
}

}  // namespace
}  // namespace nibble
