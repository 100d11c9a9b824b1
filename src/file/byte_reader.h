// A cursor over bytes from outside: little-endian numbers and strings, each checked against the
// bytes that are left before anything is allocated. Messages name the file, the field being read
// and the offset.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/error.h"

namespace nibble {

// A name from outside as it may stand in a message: control characters and non-ASCII bytes escaped,
// cut after 80 characters.
std::string printable(std::string_view text);

class ByteReader {
 public:
  // `bytes` must outlive the reader and the string views that it returns.
  ByteReader(std::span<const std::byte> bytes, std::string file_name);

  uint64_t offset() const { return offset_; }
  uint64_t left() const { return bytes_.size() - offset_; }
  const std::string& file_name() const { return file_name_; }
  void set_field(std::string field) { field_ = std::move(field); }  // what is read from here on

  template <class T>
  T read() {
    T value;
    read_into(std::span(&value, 1));
    return value;
  }
  bool read_bool();  // one byte, 0 or 1
  void skip(uint64_t bytes) {
    begin_item(bytes);
    offset_ += bytes;
  }

  // A 64-bit length, at most `limit`, and that many bytes.
  std::string_view read_string(uint64_t limit = UINT64_MAX);

  // Fills `out`.
  template <class T>
  void read_into(std::span<T> out) {
    static_assert(std::is_arithmetic_v<T> && std::endian::native == std::endian::little);
    begin_item(out.size_bytes());
    if (out.empty()) return;
    std::memcpy(out.data(), bytes_.data() + offset_, out.size_bytes());
    offset_ += out.size_bytes();
  }

  // Error unless `count` (just read) items of at least `least_bytes` (> 0) each can still follow.
  void require_items(uint64_t count, uint64_t least_bytes) const;

  // An error about the value that was read last.
  template <class... Args>
  [[noreturn]] void fail_here(ErrorCode code, fmt::format_string<Args...> format,
                              Args&&... args) const {
    fail_at_offset(code, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  void begin_item(uint64_t bytes);
  void require(uint64_t bytes) const;
  [[noreturn]] void fail_at_offset(ErrorCode code, const std::string& message) const;

  std::span<const std::byte> bytes_;
  std::string file_name_;
  std::string field_;
  uint64_t offset_ = 0;
  uint64_t item_ = 0;  // where the value that was read last begins
};

}  // namespace nibble
