#include "file/gguf_sink.h"

#include <bit>
#include <type_traits>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"
#include "file/byte_reader.h"
#include "file/gguf_header.h"

namespace nibble {
namespace {

constexpr uint32_t kVersion = 3;
constexpr size_t kMaxNameBytes = 63;  // GGML_MAX_NAME - 1

static_assert(std::endian::native == std::endian::little);

template <class T>
requires std::is_arithmetic_v<T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put(std::string& out, const std::string& text) {
  put(out, uint64_t{text.size()});
  out += text;
}

void put(std::string& out, const MetadataArray& array) {
  put(out, static_cast<uint32_t>(array.items.index()));
  put(out, uint64_t{array.size()});
  std::visit(
      [&out](const auto& items) {
        using T = typename std::decay_t<decltype(items)>::value_type;
        for (const T& item : items) put(out, item);
      },
      array.items);
}

// Where each tensor begins, counted from the end of the header, and at last where they end.
std::vector<uint64_t> place_tensors(const std::vector<TensorInfo>& tensors, uint64_t alignment) {
  std::vector<uint64_t> offsets{0};
  for (const TensorInfo& tensor : tensors) {
    const auto end = checked_add(offsets.back(), tensor.bytes());
    const auto next = end ? checked_align(*end, alignment) : std::nullopt;
    if (!next || *next > INT64_MAX) {
      fail(ErrorCode::kUsage, "the tensors have more bytes than a file can hold");
    }
    offsets.push_back(*next);
  }
  return offsets;
}

void put_tensors(std::string& out, const std::vector<TensorInfo>& tensors, uint64_t alignment) {
  const std::vector<uint64_t> offsets = place_tensors(tensors, alignment);
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Shape& shape = tensors[i].shape;
    put(out, tensors[i].name);
    put(out, static_cast<uint32_t>(shape.rank));
    for (int d = 0; d < shape.rank; ++d) put(out, shape.dims[static_cast<size_t>(d)]);
    put(out, static_cast<uint32_t>(tensors[i].type));
    put(out, offsets[i]);
  }
}

// The tensors of all parts.
std::vector<TensorInfo> check_names(const std::vector<GgufPart>& parts) {
  std::vector<TensorInfo> tensors;
  for (const GgufPart& part : parts) {
    for (const TensorInfo& tensor : part.tensors) {
      if (tensor.name.size() > kMaxNameBytes) {
        fail(ErrorCode::kUsage,
             "{}: tensor {}: its name has {} bytes, GGUF readers take at most {}",
             part.path.string(), printable(tensor.name), tensor.name.size(), kMaxNameBytes);
      }
      tensors.push_back(tensor);
    }
  }
  return tensors;
}

}  // namespace

std::string gguf_header_bytes(const Metadata& metadata, const std::vector<TensorInfo>& tensors) {
  std::string out = "GGUF";
  put(out, kVersion);
  put(out, uint64_t{tensors.size()});
  put(out, uint64_t{metadata.entries().size()});
  for (const auto& [key, value] : metadata.entries()) {
    put(out, key);
    put(out, static_cast<uint32_t>(value.index()));
    std::visit([&out](const auto& held) { put(out, held); }, value);
  }
  const uint64_t alignment = gguf_alignment(metadata);
  put_tensors(out, tensors, alignment);
  out.resize(checked_align(out.size(), alignment).value());
  return out;
}

GgufSink::GgufSink(const std::filesystem::path& path, const Metadata& metadata,
                   std::vector<TensorInfo> tensors)
    : GgufSink({{path, metadata, std::move(tensors)}}, Unfinished::kRemove) {}

GgufSink::GgufSink(std::vector<GgufPart> parts, Unfinished unfinished)
    : parts_(std::move(parts)), progress_(parts_.front().path, check_names(parts_)) {
  for (const GgufPart& part : parts_) {
    const std::string header = gguf_header_bytes(part.metadata, part.tensors);
    const auto offsets = place_tensors(part.tensors, gguf_alignment(part.metadata));
    files_.push_back(
        std::make_unique<OutputFile>(part.path, header.size() + offsets.back(), unfinished));
    files_.back()->write_at(0, bytes_of(header));
    for (size_t i = 0; i < part.tensors.size(); ++i) {
      places_.push_back({files_.size() - 1, header.size() + offsets[i]});
    }
  }
}

void GgufSink::write(size_t tensor, uint64_t offset, std::span<const std::byte> bytes) {
  progress_.take(tensor, offset, bytes.size());
  files_[places_[tensor].file]->write_at(places_[tensor].offset + offset, bytes);
}

void GgufSink::read(size_t tensor, uint64_t offset, std::span<std::byte> out) const {
  files_[places_.at(tensor).file]->read_at(places_[tensor].offset + offset, out);
}

void GgufSink::accept(size_t tensor, uint64_t offset, uint64_t bytes) {
  progress_.take(tensor, offset, bytes);
}

void GgufSink::rewrite_metadata(const Metadata& metadata) {
  GgufPart& part = parts_.front();
  const std::string header = gguf_header_bytes(metadata, part.tensors);
  if (header.size() != gguf_header_bytes(part.metadata, part.tensors).size()) {
    fail(ErrorCode::kUsage, "{}: other metadata must have the same size", part.path.string());
  }
  files_.front()->write_at(0, bytes_of(header));
  part.metadata = metadata;
}

void GgufSink::keep() {
  for (const auto& file : files_) file->keep();
}

void GgufSink::discard() {
  for (const auto& file : files_) file->discard();
}

// The first part gets its name last: who finds that one finds them all.
void GgufSink::finish() {
  progress_.require_complete();
  for (size_t i = files_.size(); i-- > 0;) files_[i]->commit();
}

uint64_t gguf_file_bytes(const Metadata& metadata, const std::vector<TensorInfo>& tensors) {
  return gguf_header_bytes(metadata, tensors).size() +
         place_tensors(tensors, gguf_alignment(metadata)).back();
}

}  // namespace nibble
