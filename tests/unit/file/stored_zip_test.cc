#include "file/stored_zip.h"

#include <gtest/gtest.h>

#include "support/files.h"
#include "unit/file/raw_zip.h"

namespace nibble {
namespace {

RawZip two() {
  return {.entries = {{.name = "b", .content = "BBBB"}, {.name = "a/c", .content = "C"}}};
}

testing::AssertionResult refuses(const RawZip& zip, ErrorCode code,
                                 const std::vector<std::string>& fragments) {
  const std::string file = zip.build();
  return fails_with(code, fragments, [&] { read_stored_zip(bytes_of(file), "m.bin"); });
}

TEST(StoredZip, FindsEntriesByName) {
  const std::string file = two().build();
  const auto entries = read_stored_zip(bytes_of(file), "m.bin");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].name, "a/c");
  EXPECT_EQ(file.substr(entries[0].offset, entries[0].bytes), "C");
  EXPECT_EQ(file.substr(entries[1].offset, entries[1].bytes), "BBBB");
}

TEST(StoredZip, RefusesCompressedAndEncryptedEntries) {
  RawZip zip = two();
  zip.entries[0].method = 8;
  EXPECT_TRUE(refuses(zip, ErrorCode::kUnsupported, {"m.bin", "entry b", "compressed"}));
  zip = two();
  zip.entries[0].flags = 1;
  EXPECT_TRUE(refuses(zip, ErrorCode::kUnsupported, {"entry b", "encrypted"}));
  zip = two();  // a bomb: a few bytes that claim to be many
  zip.entries[0].more_bytes = 0x7fff0000;
  zip.entries[0].less_stored = 0x7fff0000;
  EXPECT_TRUE(refuses(zip, ErrorCode::kUnsupported, {"entry b", "compressed"}));
}

TEST(StoredZip, RefusesEntriesThatOverlapOrLeaveTheFile) {
  RawZip zip = two();
  zip.entries[0].more_bytes = 31;
  EXPECT_TRUE(refuses(zip, ErrorCode::kInvalidFile, {"a/c", "overlaps"}));
  zip = two();
  zip.entries[1].more_bytes = 1000;
  EXPECT_TRUE(refuses(zip, ErrorCode::kInvalidFile, {"a/c", "1001 bytes"}));
  zip = two();
  zip.entries[1].moved = 1'000'000;
  EXPECT_TRUE(refuses(zip, ErrorCode::kInvalidFile, {"ZIP entry", "beyond the end"}));
  zip = two();
  zip.entries[1].moved = 1;
  EXPECT_TRUE(refuses(zip, ErrorCode::kInvalidFile, {"a/c", "is not there"}));
  zip = two();  // the same bytes under two names
  zip.entries[1] = {.name = "b", .content = "BBBB", .moved = -35};
  EXPECT_TRUE(refuses(zip, ErrorCode::kInvalidFile, {"overlaps"}));
}

TEST(StoredZip, RefusesContradictions) {
  RawZip zip = two();
  zip.entries[0].local_name = "x";
  EXPECT_TRUE(refuses(zip, ErrorCode::kInvalidFile, {"b differs"}));
  zip = two();
  zip.entries[1].name = "b";
  EXPECT_TRUE(refuses(zip, ErrorCode::kInvalidFile, {"b stands twice"}));
  zip = two();
  zip.more_entries = 60'000;
  EXPECT_TRUE(refuses(zip, ErrorCode::kInvalidFile, {"ZIP directory"}));
  zip = two();
  zip.disk = 1;
  EXPECT_TRUE(refuses(zip, ErrorCode::kUnsupported, {"several parts"}));
}

TEST(StoredZip, RefusesEveryTruncation) {
  const std::string file = two().build();
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"m.bin"}, [&] {
      read_stored_zip(bytes_of(file).first(size), "m.bin");
    })) << size;
  }
}

}  // namespace
}  // namespace nibble
