// What stands before the weights of a safetensors file. Layout
// (https://github.com/huggingface/safetensors, "Format"):
//
//   u64 length of the header, little-endian
//   JSON {"NAME": {"dtype": "F16", "shape": [out, in], "data_offsets": [begin, end]}, ...,
//         "__metadata__": {"KEY": "TEXT", ...}}, padded with spaces
//   the tensors' bytes without holes; data_offsets count from here
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "file/weight_files.h"
#include "tensor/source.h"

namespace nibble {

constexpr uint64_t kSafetensorsMaxHeaderBytes = 100'000'000;  // as the reference reader allows

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;  // __metadata__
  std::vector<TensorInfo> tensors;  // in the order of their bytes; a scalar becomes 1 column
  std::vector<uint64_t> offsets;    // of each tensor from the beginning of the file
  std::vector<UnsupportedTensor> unsupported;
  std::vector<StoredTensor> stored;  // in file 0: all that have elements of a known type
};

// Reads and checks everything before the weights. `file` is the whole file: the tensors are checked
// to fill what follows the header exactly. Error kInvalidFile.
SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file,
                                           const std::string& file_name);

}  // namespace nibble
