// ZIP archives put together by hand, so that every part may lie.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nibble {

template <class T>
std::string little_endian(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

struct RawZip {
  struct Entry {
    std::string name = {}, content = {};
    uint16_t flags = 0, method = 0;
    int64_t moved = 0;            // added to where the directory says that it lies
    uint32_t more_bytes = 0;      // added to its size in the directory
    uint32_t less_stored = 0;     // taken from its compressed size
    std::string local_name = {};  // empty: the same
  };
  std::vector<Entry> entries = {};
  uint16_t more_entries = 0;
  uint16_t disk = 0;

  std::string build() const {
    std::string file, directory;
    for (const Entry& entry : entries) {
      const auto size = static_cast<uint32_t>(entry.content.size());
      const auto at = static_cast<uint32_t>(static_cast<int64_t>(file.size()) + entry.moved);
      const std::string local = entry.local_name.empty() ? entry.name : entry.local_name;
      const auto head = [&](uint32_t stored, uint32_t bytes, const std::string& name) {
        return little_endian(entry.flags) + little_endian(entry.method) + std::string(8, '\0') +
               little_endian(stored) + little_endian(bytes) +
               little_endian(static_cast<uint16_t>(name.size())) + std::string(2, '\0');
      };
      file += "PK\x03\x04" + std::string(2, '\0') + head(size, size, local) + local + entry.content;
      const uint32_t bytes = size + entry.more_bytes;
      directory += "PK\x01\x02" + std::string(4, '\0') +
                   head(bytes - entry.less_stored, bytes, entry.name) + std::string(10, '\0') +
                   little_endian(at) + entry.name;
    }
    const auto count = static_cast<uint16_t>(entries.size() + more_entries);
    return file + directory + "PK\x05\x06" + little_endian(disk) + little_endian(disk) +
           little_endian(count) + little_endian(count) +
           little_endian(static_cast<uint32_t>(directory.size())) +
           little_endian(static_cast<uint32_t>(file.size())) + std::string(2, '\0');
  }
};

}  // namespace nibble
