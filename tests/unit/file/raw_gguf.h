// GGUF files put together byte by byte, independently of GgufSink, so that every part may lie.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

template <class T>
std::string number(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

inline std::string text(std::string_view value) {
  return number(uint64_t{value.size()}) + std::string(value);
}

// Value type ids as the specification numbers them.
enum : uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kFloat,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kDouble
};

struct RawTensor {
  std::string name;
  std::vector<uint64_t> dims;
  uint32_t type;
  uint64_t offset;
  std::optional<uint32_t> claimed_rank = std::nullopt;
};

struct RawGguf {
  std::string magic = "GGUF";
  uint32_t version = 3;
  std::optional<uint64_t> claimed_tensors;
  std::optional<uint64_t> claimed_keys;
  std::vector<std::string> keys;
  std::vector<RawTensor> tensors;
  uint64_t alignment = 32;  // of the weights' beginning
  std::string weights;

  void add_key(std::string_view key, uint32_t type, std::string_view value) {
    keys.push_back(text(key) + number(type) + std::string(value));
  }
  void add_array(std::string_view key, uint32_t type, uint64_t count, std::string_view items) {
    add_key(key, kArray, number(type) + number(count) + std::string(items));
  }
  RawTensor& tensor(std::string_view name) {
    for (RawTensor& tensor : tensors) {
      if (tensor.name == name) return tensor;
    }
    return tensors.emplace_back();
  }

  std::string header() const {
    std::string out = magic + number(version) + number(claimed_tensors.value_or(tensors.size())) +
                      number(claimed_keys.value_or(keys.size()));
    for (const std::string& key : keys) out += key;
    for (const RawTensor& tensor : tensors) {
      out += text(tensor.name);
      out += number(tensor.claimed_rank.value_or(static_cast<uint32_t>(tensor.dims.size())));
      for (const uint64_t dim : tensor.dims) out += number(dim);
      out += number(tensor.type) + number(tensor.offset);
    }
    return out;
  }
  // The header, padding, the weights.
  std::string build() const {
    std::string out = header();
    out.resize((out.size() + alignment - 1) / alignment * alignment);
    return out + weights;
  }
};

// Two tensors: 8 F32 weights in 32 bytes, 32 Q8_0 weights in 34 bytes; 30 bytes of padding follow.
inline RawGguf small_gguf() {
  RawGguf raw;
  raw.add_key("general.architecture", kString, text("llama"));
  raw.add_key("llama.block_count", kU32, number(uint32_t{1}));
  raw.add_array("tokenizer.ggml.tokens", kString, 2, text("<s>") + text("a"));
  raw.tensors = {{"norm.weight", {4, 2}, 0, 0}, {"output.weight", {32}, 8, 32}};
  for (char i = 0; i < 96; ++i) raw.weights += i;
  return raw;
}

}  // namespace nibble
