// ZIP archives whose entries are stored, not compressed: what torch.save writes. Source: PKWARE's
// APPNOTE.TXT 6.3 (sections 4.3 and 4.5.3, ZIP64).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nibble {

struct ZipEntry {
  std::string name;
  uint64_t offset;  // of its bytes, from the beginning of the file
  uint64_t bytes;
};

bool starts_with_zip_magic(std::span<const std::byte> file);

// Entries sorted by name. Errors: kUnsupported for entries that are compressed or encrypted and for
// archives in several parts; kInvalidFile for names that stand twice, entries that overlap or leave
// the file, and everything else that is damaged.
std::vector<ZipEntry> read_stored_zip(std::span<const std::byte> file,
                                      const std::string& file_name);

}  // namespace nibble
