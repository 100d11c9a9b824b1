// Importance matrices in the legacy layout, byte by byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

struct RawImportance {
  std::string name;
  int32_t calls;
  std::vector<float> values;  // times calls
};

inline std::string raw_i32(size_t value) {
  const auto number = static_cast<int32_t>(value);
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

inline std::string raw_text(std::string_view text) {
  return raw_i32(text.size()) + std::string(text);
}

inline std::string raw_floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

inline std::string raw_entry(const RawImportance& entry) {
  return raw_text(entry.name) + raw_i32(static_cast<size_t>(entry.calls)) +
         raw_i32(entry.values.size()) + raw_floats(entry.values);
}

inline std::string raw_imatrix(const std::vector<RawImportance>& entries) {
  std::string bytes = raw_i32(entries.size());
  for (const RawImportance& entry : entries) bytes += raw_entry(entry);
  return bytes;
}

}  // namespace nibble
