// Parses a journal from memory. Checksums guard every byte, so that the header and each record are
// also tried with the checksums that they should have.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/xxh64.h"
#include "file/journal.h"

namespace {

void check(std::span<const std::byte> file) {
  const auto contents = nibble::parse_journal(file);
  if (!contents) return;
  if (contents->bytes > file.size() || contents->work.size() > contents->bytes) std::abort();
  if (contents->records.size() * 56 + contents->work.size() + 24 != contents->bytes) std::abort();
}

void sign(std::string& bytes, size_t begin, size_t end) {
  if (end < begin || end + 8 > bytes.size()) return;
  const auto part = std::as_bytes(std::span(bytes)).subspan(begin, end - begin);
  const uint64_t checksum = nibble::xxh64(part);
  std::memcpy(bytes.data() + end, &checksum, sizeof checksum);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  check(std::as_bytes(std::span(data, size)));
  std::string bytes(reinterpret_cast<const char*>(data), size);
  uint64_t length = 0;
  if (size >= 16) std::memcpy(&length, data + 8, sizeof length);
  if (length > size) return 0;
  sign(bytes, 0, 16 + length);
  for (size_t at = 24 + length; at + 56 <= size; at += 56) sign(bytes, at, at + 48);
  check(std::as_bytes(std::span(bytes)));
  return 0;
}
