// Journal: which pieces of an unfinished file are written, so that another process can go on.
// Layout, little-endian (docs/formats/journal.md):
//
//   "NIBJRNL1"  u64 length  the work's description (text)  u64 XXH64 of all before
//   per piece: u64 number  u64 XXH64 of its bytes in the file  u8[32] SHA-256 of its source
//              u64 XXH64 of the record up to here
//
// Records are appended as pieces are done, in any order. What a crash left of the last one does not
// fit its checksum and ends the journal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/sha256.h"

namespace nibble {

struct JournalRecord {
  uint64_t piece;
  uint64_t checksum;    // of the piece's bytes in the file
  Sha256Digest source;  // of the bytes that they were made from
};

struct JournalContents {
  std::string work;  // what is being written: compare it before going on
  std::vector<JournalRecord> records;
  uint64_t bytes = 0;  // of the file up to the end of the last whole record
};

// std::nullopt when not even the description is whole: there is nothing to go on with.
std::optional<JournalContents> parse_journal(std::span<const std::byte> file);

// TARGET.journal
std::filesystem::path journal_path(const std::filesystem::path& target);

// The journal of a target; std::nullopt when there is none, or none that is whole. Error kIo.
std::optional<JournalContents> read_journal(const std::filesystem::path& target);

class Journal {
 public:
  // Begins a new one for the target, or goes on after `contents`. Errors: kIo, kNoSpace.
  Journal(const std::filesystem::path& target, const std::string& work);
  Journal(const std::filesystem::path& target, const JournalContents& contents);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  void append(const JournalRecord& record);  // thread-safe
  void remove();                             // the file; nothing may be appended afterwards

 private:
  Journal(const std::filesystem::path& target, int open_flags);
  void write(std::string_view bytes);

  std::filesystem::path path_;
  int fd_ = -1;
  std::mutex mutex_;
};

}  // namespace nibble
