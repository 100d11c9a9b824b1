#include "file/gguf_split.h"

#include <algorithm>

#include "base/error.h"
#include "file/byte_reader.h"
#include "file/gguf_header.h"

namespace nibble {
namespace {

void add_split_keys(Metadata& metadata, size_t number, size_t count, size_t tensors) {
  metadata.set("split.no", static_cast<uint16_t>(number));
  metadata.set("split.tensors.count", static_cast<int32_t>(tensors));
  metadata.set("split.count", static_cast<uint16_t>(count));
}

// What later parts have before their tensors.
Metadata later_metadata(const Metadata& first) {
  Metadata later;
  if (const MetadataValue* alignment = first.find("general.alignment")) {
    later.set("general.alignment", *alignment);
  }
  return later;
}

// The size of a file without tensors.
uint64_t empty_bytes(Metadata metadata) {
  add_split_keys(metadata, 0, 0, 0);
  return gguf_file_bytes(metadata, {});
}

// The most that a tensor adds to a file: its entry, its bytes, and the gaps for alignment.
uint64_t bytes_in_file(const TensorInfo& tensor, uint64_t alignment) {
  return gguf_file_bytes({}, {tensor}) - gguf_file_bytes({}, {}) + 2 * alignment;
}

}  // namespace

std::string split_ending(uint64_t number, uint64_t count) {
  return fmt::format("-{:05}-of-{:05}.gguf", number, count);
}

std::string split_prefix(const std::filesystem::path& first, uint64_t count) {
  std::string prefix = first.string();
  prefix.resize(prefix.size() - split_ending(1, count).size());
  return prefix;
}

std::vector<size_t> split_by_count(size_t tensors, size_t most, bool first_empty) {
  std::vector<size_t> parts;
  if (first_empty || tensors == 0) parts.push_back(0);
  for (size_t left = tensors; left > 0; left -= parts.back()) parts.push_back(std::min(most, left));
  return parts;
}

std::vector<size_t> split_by_bytes(const Metadata& metadata, const std::vector<TensorInfo>& tensors,
                                   uint64_t bytes, bool first_empty) {
  const uint64_t alignment = gguf_alignment(metadata);
  const uint64_t later = empty_bytes(later_metadata(metadata));
  std::vector<size_t> parts{0};
  uint64_t size = empty_bytes(metadata);
  for (const TensorInfo& tensor : tensors) {
    const uint64_t more = bytes_in_file(tensor, alignment);
    if (more + later > bytes) {
      fail(ErrorCode::kUsage,
           "tensor {} alone takes {} bytes of a file; allow files of more than {}",
           printable(tensor.name), more + later, bytes);
    }
    const bool leaves_first = first_empty && parts.size() == 1;
    if (size + more > bytes || leaves_first) {
      parts.push_back(0);
      size = later;
    }
    size += more;
    ++parts.back();
  }
  return parts;
}

std::vector<GgufPart> split_into_parts(const std::filesystem::path& prefix,
                                       const Metadata& metadata,
                                       const std::vector<TensorInfo>& tensors,
                                       const std::vector<size_t>& tensors_in_part) {
  const size_t count = tensors_in_part.size();
  if (count > kMaxSplitParts || tensors.size() > INT32_MAX) {
    fail(ErrorCode::kUsage, "{}: {} parts; a split can have {} at most", prefix.string(), count,
         kMaxSplitParts);
  }
  std::vector<GgufPart> parts;
  auto next = tensors.begin();
  for (size_t i = 0; i < count; ++i) {
    GgufPart part;
    part.path = prefix.string() + split_ending(i + 1, count);
    part.metadata = i == 0 ? metadata : later_metadata(metadata);
    add_split_keys(part.metadata, i, count, tensors.size());
    const auto end = next + static_cast<std::ptrdiff_t>(tensors_in_part[i]);
    part.tensors.assign(next, end);
    next = end;
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace nibble
