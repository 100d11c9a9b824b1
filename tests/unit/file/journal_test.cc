#include "file/journal.h"

#include <gtest/gtest.h>

#include "support/files.h"

namespace nibble {
namespace {

JournalRecord record_of(uint64_t piece) {
  JournalRecord record{piece, piece * 1000, {}};
  record.source.fill(static_cast<std::byte>(piece));
  return record;
}

class JournalTest : public testing::Test {
 protected:
  // A journal of `count` records.
  std::string write(uint64_t count) {
    Journal journal(target_, "source: a\nheader: b\n");
    for (uint64_t i = 0; i < count; ++i) journal.append(record_of(i));
    return read_file(journal_path(target_));
  }
  static testing::AssertionResult has_records(const std::optional<JournalContents>& contents,
                                              uint64_t count) {
    if (!contents) return testing::AssertionFailure() << "not even its description";
    if (contents->records.size() != count) {
      return testing::AssertionFailure() << contents->records.size() << " records";
    }
    for (uint64_t i = 0; i < count; ++i) {
      const JournalRecord expected = record_of(i);
      const JournalRecord& found = contents->records[i];
      if (found.piece != expected.piece || found.checksum != expected.checksum ||
          found.source != expected.source) {
        return testing::AssertionFailure() << "record " << i;
      }
    }
    return testing::AssertionSuccess();
  }

  TemporaryFolder folder_;
  std::filesystem::path target_ = folder_ / "out.gguf";
};

TEST_F(JournalTest, TellsWhatWasDone) {
  const std::string bytes = write(3);
  const auto contents = read_journal(target_);
  ASSERT_TRUE(has_records(contents, 3));
  EXPECT_EQ(contents->work, "source: a\nheader: b\n");
  EXPECT_EQ(contents->bytes, bytes.size());
}

TEST_F(JournalTest, EndsAtTheFirstRecordThatIsNotWhole) {
  const std::string whole = write(3);
  const std::string two = write(2);
  for (size_t length = two.size(); length < whole.size(); ++length) {
    const auto contents = parse_journal(bytes_of(whole).first(length));
    ASSERT_TRUE(has_records(contents, 2)) << length;
    EXPECT_EQ(contents->bytes, two.size());
  }
}

TEST_F(JournalTest, NoticesEveryChangedByte) {
  const std::string whole = write(2);
  const size_t header = write(0).size();
  const size_t record = (whole.size() - header) / 2;
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string spoiled = whole;
    spoiled[i] = static_cast<char>(spoiled[i] ^ 0x10);
    const auto contents = parse_journal(bytes_of(spoiled));
    if (i < header) {
      EXPECT_FALSE(contents.has_value()) << i;
    } else {
      EXPECT_TRUE(has_records(contents, (i - header) / record)) << i;
    }
  }
}

TEST_F(JournalTest, GoesOnAfterATornRecord) {
  const std::string whole = write(3);
  write_file(journal_path(target_), whole.substr(0, whole.size() - 1));
  {
    Journal journal(target_, read_journal(target_).value());
    journal.append(record_of(2));
  }
  EXPECT_EQ(read_file(journal_path(target_)), whole);
}

TEST_F(JournalTest, IsNotThereWhenThereIsNone) {
  EXPECT_FALSE(read_journal(target_).has_value());
  write_file(journal_path(target_), "NIBJRNL1");
  EXPECT_FALSE(read_journal(target_).has_value());
}

TEST_F(JournalTest, IsGoneWhenRemoved) {
  Journal journal(target_, "source: a\n");
  journal.remove();
  EXPECT_EQ(folder_.count_files(), 0u);
}

TEST(JournalSeeds, AreReadAsTheyWereMeant) {
  for (const auto& seed : fuzz_seeds("journal")) {
    const std::string bytes = read_file(seed);
    const auto contents = parse_journal(bytes_of(bytes));
    ASSERT_TRUE(contents.has_value()) << seed;
    EXPECT_EQ(contents->records.size(), seed.stem() == "torn" ? 2u : 0u) << seed;
  }
}

}  // namespace
}  // namespace nibble
