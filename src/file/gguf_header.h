// What stands before the weights of a GGUF file. Layout of versions 2 and 3, little-endian
// (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md):
//
//   "GGUF"  u32 version  u64 tensor count  u64 key count
//   per key:     string key  u32 value type  value
//   per tensor:  string name  u32 rank  u64 dims[rank]  u32 type id  u64 offset
//   zeros up to a multiple of general.alignment (default 32); offsets count from here
//   the tensors' bytes, each at a multiple of the alignment
//
//   string = u64 length, bytes;  array = u32 value type, u64 count, values;  bool = one byte 0 or 1
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/metadata.h"
#include "tensor/source.h"

namespace nibble {

constexpr uint64_t kGgufDefaultAlignment = 32;
constexpr uint64_t kGgufMaxAlignment = 2u << 20;  // a huge page; nobody aligns to more

struct GgufHeader {
  uint32_t version;
  Metadata metadata;  // its origin is the file's name
  std::vector<TensorInfo> tensors;
  std::vector<uint64_t> offsets;  // of each tensor from the beginning of the file
};

// Reads and checks everything before the weights. `file` is the whole file: every tensor is checked
// to lie inside it, on its own. Errors: kInvalidFile, kUnsupported (version 1, big-endian, a tensor
// type that this version does not have).
GgufHeader parse_gguf_header(std::span<const std::byte> file, const std::string& file_name);

// general.alignment or its default. Error kInvalidFile unless a u32 that is a power
// of two in [8, kGgufMaxAlignment].
uint64_t gguf_alignment(const Metadata& metadata);

}  // namespace nibble
