// The pickles that torch.save writes, read without executing anything. Source: Python's pickletools
// (opcodes), torch/_utils.py and torch/serialization.py (what they build).
//
// A pickle is a program for a stack machine that may call any function of any module. Here it may
// name the few constructors that tensors need, and what these build is plain data; any other name
// is refused where it stands, before anything could have been made of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

constexpr uint64_t kPickleMaxBytes = uint64_t{64} << 20;
constexpr size_t kPickleMaxValues = size_t{1} << 21;  // made, in the memo or on the stack
constexpr size_t kPickleMaxNesting = 1000;            // of marks
constexpr uint64_t kPickleMaxTextBytes = 4096;        // of a string

// A part of a storage, which is a sequence of elements of one type.
struct PickledTensor {
  std::string name;
  std::string storage;  // its key
  std::string type;     // as safetensors calls it
  uint64_t storage_elements;
  uint64_t offset;  // in elements
  std::vector<uint64_t> shape, strides;
};

struct PickledStorage {
  std::string key, type;
  uint64_t elements;
};

struct PickledTensors {
  std::vector<PickledTensor> tensors;    // in the order of the file
  std::vector<PickledStorage> storages;  // every mention
  uint64_t bytes;                        // of the pickle
};

// Reads the state dict (name -> tensor; other values are passed over) that the pickle at the
// beginning of `bytes` holds, or one that it holds as "state_dict", "model" or "module". Errors:
// kUnsupported for names and operations that tensors do not need, kInvalidFile for everything that
// is damaged or beyond the limits above.
PickledTensors read_pickled_tensors(std::span<const std::byte> bytes, const std::string& file_name);

// For torch's older format: an integer in little-endian bytes, a list of strings, and one of any
// kind. Each returns the bytes of the pickle that it read.
uint64_t read_pickled_integer(std::span<const std::byte> bytes, const std::string& file_name,
                              std::string& value);
uint64_t read_pickled_strings(std::span<const std::byte> bytes, const std::string& file_name,
                              std::vector<std::string>& values);
uint64_t skip_pickle(std::span<const std::byte> bytes, const std::string& file_name);

}  // namespace nibble
