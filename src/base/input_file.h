// A file opened for reading: positioned reads that never cross its end, and a read-only memory map
// on request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace nibble {

class InputFile {
 public:
  // Errors: kNotFound when there is no such regular file, kIo when it cannot be opened.
  explicit InputFile(const std::filesystem::path& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string name() const { return path_.string(); }
  uint64_t size() const { return size_; }
  int64_t modified_ns() const { return modified_ns_; }  // since 1970, when it was opened

  // Fills `out` from byte `offset`. Thread-safe. Errors: kInvalidFile past the end, kIo.
  void read(uint64_t offset, std::span<std::byte> out) const;

  // The whole file, mapped on the first call and kept until destruction. Thread-safe.
  std::span<const std::byte> map() const;

  // These bytes of the map are not needed for now: they leave this process's memory, and come back
  // from the file when they are looked at. Thread-safe.
  void forget(uint64_t offset, uint64_t size) const;

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  uint64_t size_ = 0;
  int64_t modified_ns_ = 0;
  mutable std::once_flag map_once_;
  mutable void* mapped_ = nullptr;
};

// Whether nothing has that name. What cannot be looked at may be there: opening it says why not.
bool is_missing(const std::filesystem::path& path);

// A small file as text. Error: kUnsupported when it has more than `limit` bytes.
std::string read_text_file(const std::filesystem::path& path, uint64_t limit = uint64_t{1} << 30);

}  // namespace nibble
