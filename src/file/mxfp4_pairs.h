// MXFP4 weights as Transformers stores them (gpt-oss): NAME_blocks, U8 [..., rows, groups, 16], and
// NAME_scales, U8 [..., rows, groups]. Byte i of a group holds weights 2i and 2i + 1, where GGUF's
// blocks hold i and i + 16 (codec/mxfp4.h); the weights are the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/input_file.h"
#include "file/weight_files.h"
#include "tensor/shape.h"

namespace nibble {

struct Mxfp4Pair {
  StoredTensor blocks, scales;
  Shape shape;  // of the weights
};

// Blocks whose scales are there, too, and fit.
std::vector<Mxfp4Pair> find_mxfp4_pairs(const std::vector<StoredTensor>& tensors);

// Rows as GGUF has them. Error kUsage when the rows are outside the tensor or `out` has another
// size.
void read_mxfp4_rows(const Mxfp4Pair& pair, const std::vector<std::unique_ptr<InputFile>>& files,
                     uint64_t first, uint64_t count, std::span<std::byte> out);

}  // namespace nibble
