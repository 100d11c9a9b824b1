// tests/golden/checkpoints: weights as checkpoints hold them, and the values that they stand for.
#pragma once

#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/numeric.h"
#include "codec/codec.h"
#include "codec/formats.h"
#include "file/safetensors.h"
#include "support/files.h"

namespace nibble {

inline std::filesystem::path checkpoint_path(std::string_view name) {
  return repository_path("tests/golden/checkpoints") / name;
}

struct Values {
  Shape shape;
  std::vector<uint32_t> bits;  // of the floats, so that they are compared exactly
  bool operator==(const Values&) const = default;
};

// A tensor's weights as floats.
inline std::vector<float> decode_tensor(const TensorSource& source, const std::string& name) {
  for (size_t i = 0; i < source.tensors().size(); ++i) {
    const TensorInfo& tensor = source.tensors()[i];
    if (tensor.name != name) continue;
    std::vector<std::byte> bytes(tensor.bytes());
    source.read_rows(i, 0, tensor.shape.rows(), bytes);
    std::vector<float> floats(tensor.shape.count());
    codec(tensor.type).decode(bytes.data(), static_cast<int64_t>(floats.size()), floats.data());
    return floats;
  }
  return {};
}

// Float tensors, read `step` rows at a time.
inline std::map<std::string, Values> read_all(const TensorSource& source, uint64_t step = 3) {
  std::map<std::string, Values> all;
  for (size_t i = 0; i < source.tensors().size(); ++i) {
    const TensorInfo& tensor = source.tensors()[i];
    std::string bytes(tensor.bytes(), '\0');
    for (uint64_t row = 0; row < tensor.shape.rows(); row += step) {
      const uint64_t count = std::min(step, tensor.shape.rows() - row);
      source.read_rows(i, row, count,
                       std::as_writable_bytes(std::span(bytes))
                           .subspan(row * tensor.row_bytes(), count * tensor.row_bytes()));
    }
    Values values{tensor.shape, {}};
    for (size_t at = 0; at < bytes.size(); at += block_bytes(tensor.type)) {
      uint32_t bits = 0;
      std::memcpy(&bits, bytes.data() + at, block_bytes(tensor.type));
      if (tensor.type == DType::kBF16) bits <<= 16;
      if (tensor.type == DType::kF16)
        bits = std::bit_cast<uint32_t>(f32_from_f16(static_cast<uint16_t>(bits)));
      values.bits.push_back(bits);
    }
    all[tensor.name] = std::move(values);
  }
  return all;
}

}  // namespace nibble
