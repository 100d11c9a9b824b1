#include "file/byte_reader.h"

namespace nibble {

std::string printable(std::string_view text) {
  constexpr size_t kShown = 80;
  std::string shown;
  for (const char c : text.substr(0, kShown)) {
    if (c >= ' ' && c <= '~') {
      shown += c;
    } else {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return text.size() > kShown ? shown + "..." : shown;
}

ByteReader::ByteReader(std::span<const std::byte> bytes, std::string file_name)
    : bytes_(bytes), file_name_(std::move(file_name)) {}

bool ByteReader::read_bool() {
  const auto byte = read<uint8_t>();
  if (byte > 1) fail_here(ErrorCode::kInvalidFile, "found a bool of {}, expected 0 or 1", byte);
  return byte == 1;
}

std::string_view ByteReader::read_string(uint64_t limit) {
  const auto length = read<uint64_t>();
  if (length > limit) {
    fail_here(ErrorCode::kInvalidFile, "found a string of {} bytes, expected at most {}", length,
              limit);
  }
  require(length);
  const char* begin = reinterpret_cast<const char*>(bytes_.data()) + offset_;
  offset_ += length;
  return {begin, static_cast<size_t>(length)};
}

void ByteReader::begin_item(uint64_t bytes) {
  item_ = offset_;
  require(bytes);
}

void ByteReader::require(uint64_t bytes) const {
  if (bytes > left()) {
    fail_here(ErrorCode::kInvalidFile,
              "{} bytes expected, but the file ends after {}: it is truncated or damaged", bytes,
              left());
  }
}

void ByteReader::require_items(uint64_t count, uint64_t least_bytes) const {
  if (count > left() / least_bytes) {
    fail_here(ErrorCode::kInvalidFile,
              "found a count of {}, but the {} bytes that follow hold at most {}: the file is "
              "truncated or damaged",
              count, left(), left() / least_bytes);
  }
}

void ByteReader::fail_at_offset(ErrorCode code, const std::string& message) const {
  fail(code, "{}: {}: at offset {}: {}", file_name_, field_, item_, message);
}

}  // namespace nibble
