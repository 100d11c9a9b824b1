#include "file/gguf.h"

#include <algorithm>

#include "base/error.h"
#include "file/byte_reader.h"
#include "file/gguf_header.h"
#include "file/gguf_split.h"

namespace nibble {
namespace {

// The number of files of the model that this header begins; 1 when it was never split.
uint64_t count_parts(const Metadata& metadata) {
  const uint64_t number = metadata.find_uint("split.no").value_or(0);
  const uint64_t count = std::max<uint64_t>(metadata.find_uint("split.count").value_or(1), 1);
  if (count > kMaxSplitParts || number >= count) {
    fail(ErrorCode::kInvalidFile, "{}: split.no {} and split.count {} contradict each other",
         metadata.origin(), number, count);
  }
  return count;
}

// Opened by hand, so that the message says what the user can do.
void check_first(const std::filesystem::path& path, const Metadata& metadata, uint64_t count) {
  if (const auto number = metadata.find_uint("split.no").value_or(0); number != 0) {
    fail(ErrorCode::kUsage,
         "{}: is part {} of {} of a split model; open the first, whose name ends in {}",
         path.string(), number + 1, count, split_ending(1, count));
  }
  if (count > 1 && !path.filename().string().ends_with(split_ending(1, count))) {
    fail(ErrorCode::kInvalidFile,
         "{}: is the first of {} parts, so its name must end in {}; name the parts as they were",
         path.string(), count, split_ending(1, count));
  }
}

void check_part(const Metadata& part, const Metadata& first, uint64_t number) {
  for (const char* key : {"split.count", "split.tensors.count"}) {
    if (part.find_uint(key) != first.find_uint(key)) {
      fail(ErrorCode::kInvalidFile, "{}: {} is not that of {}: these parts do not belong together",
           part.origin(), key, first.origin());
    }
  }
  if (part.require_uint("split.no") != number) {
    fail(ErrorCode::kInvalidFile, "{}: split.no: found {}, expected {} by its name", part.origin(),
         part.require_uint("split.no"), number);
  }
}

GgufHeader open_part(TensorFiles& files, const std::filesystem::path& path) {
  const InputFile& file = files.open(path);
  GgufHeader header = parse_gguf_header(file.map(), file.name());
  for (size_t i = 0; i < header.tensors.size(); ++i) {
    files.add(std::move(header.tensors[i]), header.offsets[i]);
  }
  return header;
}

}  // namespace

GgufFile::GgufFile(const std::filesystem::path& path) {
  open_first(path);
  const uint64_t count = count_parts(metadata_);
  check_first(path, metadata_, count);
  if (count > 1) open_others(path, count);
  for (const char* key : {"split.no", "split.count", "split.tensors.count"}) metadata_.erase(key);
}

void GgufFile::open_first(const std::filesystem::path& path) {
  GgufHeader header = open_part(files_, path);
  metadata_ = std::move(header.metadata);
  version_ = header.version;
}

void GgufFile::open_others(const std::filesystem::path& path, uint64_t count) {
  for (uint64_t number = 1; number < count; ++number) {
    const std::filesystem::path part = split_prefix(path, count) + split_ending(number + 1, count);
    if (is_missing(part)) {
      fail(ErrorCode::kNotFound, "{}: part {} of {} is missing: no file {}", path.string(),
           number + 1, count, part.string());
    }
    check_part(open_part(files_, part).metadata, metadata_, number);
  }
  const auto expected = metadata_.find_uint("split.tensors.count");
  if (expected && *expected != tensors().size()) {
    fail(ErrorCode::kInvalidFile, "{}: split.tensors.count: found {}, but the parts hold {}",
         path.string(), *expected, tensors().size());
  }
  if (const auto name = find_duplicate(tensors())) {
    fail(ErrorCode::kInvalidFile, "{}: tensor {}: stands in more than one part", path.string(),
         printable(*name));
  }
}

}  // namespace nibble
