// safetensors files put together by hand, independently of SafetensorsSink, so that every part may
// lie.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nibble {

struct RawSafetensors {
  std::vector<std::string> fields;  // of the header's object
  std::optional<uint64_t> claimed_length;
  std::string weights;

  // `shape` and `offsets` as JSON, e.g. "[2,3]".
  void add(const std::string& name, const std::string& type, const std::string& shape,
           const std::string& offsets) {
    fields.push_back("\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape +
                     ",\"data_offsets\":" + offsets + "}");
  }
  std::string build() const {
    std::string json = "{";
    for (const std::string& field : fields) json += (json.size() > 1 ? "," : "") + field;
    json += "}";
    json.resize((json.size() + 7) / 8 * 8, ' ');
    const uint64_t length = claimed_length.value_or(json.size());
    return std::string(reinterpret_cast<const char*>(&length), sizeof length) + json + weights;
  }
};

// Two tensors: 6 F32 weights in 24 bytes, 5 F16 weights in 10 bytes.
inline RawSafetensors small_safetensors() {
  RawSafetensors raw;
  raw.fields.push_back(R"("__metadata__":{"format":"pt"})");
  raw.add("up.weight", "F32", "[2,3]", "[0,24]");
  raw.add("norm.weight", "F16", "[5]", "[24,34]");
  for (char i = 0; i < 34; ++i) raw.weights += static_cast<char>('A' + i);
  return raw;
}

}  // namespace nibble
