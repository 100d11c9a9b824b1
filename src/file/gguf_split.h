// Models that are split over several GGUF files, as llama.cpp's gguf-split names and marks them:
//
//   PREFIX-00001-of-00003.gguf   all keys of the model, then the keys of a split
//   PREFIX-00002-of-00003.gguf   the keys of a split (and general.alignment), further tensors
//
//   split.no u16 (from 0)   split.count u16   split.tensors.count i32 (of the whole model)
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/metadata.h"
#include "file/gguf_sink.h"
#include "tensor/source.h"

namespace nibble {

constexpr uint64_t kMaxSplitParts = 65535;  // split.count is a u16

// "-00001-of-00003.gguf": what follows the prefix in the name of part `number` (from 1).
std::string split_ending(uint64_t number, uint64_t count);
// The prefix of a path that ends as the first part's.
std::string split_prefix(const std::filesystem::path& first, uint64_t count);

// How many tensors each part gets when no part is to have more than `most` tensors, or no file more
// than `bytes` bytes; a model without tensors is one part. With `first_empty` the first part has
// keys alone. Error kUsage when a tensor
// does not fit a file of that size.
std::vector<size_t> split_by_count(size_t tensors, size_t most, bool first_empty);
std::vector<size_t> split_by_bytes(const Metadata& metadata, const std::vector<TensorInfo>& tensors,
                                   uint64_t bytes, bool first_empty);

// The files of a model; GgufSink writes them. `tensors_in_part` adds up to all tensors. Error
// kUsage for more parts or tensors than the keys can count.
std::vector<GgufPart> split_into_parts(const std::filesystem::path& prefix,
                                       const Metadata& metadata,
                                       const std::vector<TensorInfo>& tensors,
                                       const std::vector<size_t>& tensors_in_part);

}  // namespace nibble
