// A file that appears whole or not at all: it is written beside its target under a temporary name,
// synced, then renamed. Destroying an OutputFile that was not committed removes the temporary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace nibble {

class OutputFile {
 public:
  // `expected_bytes` is checked against the free space of the target's file system before anything
  // is created (0: unknown). Errors: kNoSpace, kIo (folder missing, not writable, target is a
  // folder).
  OutputFile(const std::filesystem::path& target, uint64_t expected_bytes);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  const std::filesystem::path& target() const { return target_; }
  uint64_t position() const { return position_; }  // bytes appended so far

  void append(std::span<const std::byte> bytes);
  void append(std::string_view text) { append(std::as_bytes(std::span(text.data(), text.size()))); }
  void append_zeros(uint64_t count);
  // Overwrites bytes that were appended before. Error: kUsage past position().
  void write_at(uint64_t offset, std::span<const std::byte> bytes);

  // Syncs and gives the file its name, replacing what stood there. Nothing may be written
  // afterwards.
  void commit();

 private:
  void write_all(uint64_t offset, std::span<const std::byte> bytes);

  std::filesystem::path target_;
  std::filesystem::path temporary_;
  int fd_ = -1;
  uint64_t position_ = 0;
  bool committed_ = false;
};

// Error kNoSpace, naming need and room, when the file system that would hold `target` has fewer
// free bytes.
void require_free_space(const std::filesystem::path& target, uint64_t bytes);

}  // namespace nibble
