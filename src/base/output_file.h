// A file that appears whole or not at all: it is written beside its target under another name,
// synced, then renamed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace nibble {

// What becomes of the bytes when an OutputFile is destroyed before it was committed.
enum class Unfinished {
  kRemove,  // they stand in a hidden file of a name of its own, and go
  kKeep,    // they stand in TARGET.part and stay after keep(); what an earlier one left there goes
  kResume,  // they stand in TARGET.part and stay; this one begins with what an earlier one left
};

class OutputFile {
 public:
  // A file of `bytes` bytes: zeros, or with kResume what an earlier one left. The room that is
  // still needed is checked against the target's file system before anything is created. Errors:
  // kNoSpace, kIo (folder missing, not writable, target is a folder), kUsage (not kRemove, and
  // another process is writing the same file).
  OutputFile(const std::filesystem::path& target, uint64_t bytes,
             Unfinished unfinished = Unfinished::kRemove);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  const std::filesystem::path& target() const { return target_; }

  // Both are thread-safe. Error kUsage outside the file.
  void write_at(uint64_t offset, std::span<const std::byte> bytes);
  void read_at(uint64_t offset, std::span<std::byte> out) const;

  // Syncs and gives the file its name, replacing what stood there. Nothing may be written
  // afterwards.
  void commit();
  // Whether the bytes stay if this is destroyed before it was committed.
  void keep() { keeps_ = true; }
  void discard() { keeps_ = false; }

 private:
  void close();
  void check_range(uint64_t offset, uint64_t bytes) const;
  void start_writeback(uint64_t bytes);

  std::filesystem::path target_;
  std::filesystem::path temporary_;
  uint64_t bytes_;
  bool keeps_;
  int fd_ = -1;
  std::atomic<uint64_t> written_{0};
  bool committed_ = false;
};

// Throws kNoSpace or kIo, as errno says, for a file that cannot be written.
[[noreturn]] void fail_write(const std::filesystem::path& path, int error_number);

// Where an OutputFile with kKeep or kResume has its bytes until it is committed: TARGET.part.
std::filesystem::path part_path(const std::filesystem::path& target);

// What was written to the file, by whomever, is on the disk afterwards. Error kIo.
void sync_file(const std::filesystem::path& path);

// Error kNoSpace, naming need and room, when the file system that would hold `target` has fewer
// free bytes; kIo when its folder is not there.
void require_free_space(const std::filesystem::path& target, uint64_t bytes);

// The same for several files, those of one file system together.
struct SpaceNeed {
  std::filesystem::path target;
  uint64_t bytes;
};
void require_free_space(const std::vector<SpaceNeed>& needs);

// Bytes on the disk that a file takes; 0 when there is none.
uint64_t allocated_bytes(const std::filesystem::path& path);

}  // namespace nibble
