#include "file/safetensors_sink.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/json.h"
#include "codec/formats.h"
#include "file/byte_reader.h"
#include "file/safetensors_header.h"

namespace nibble {
namespace {

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kAlignment = 8;  // of the weights' beginning, as the reference writer does

std::string_view type_name(const TensorInfo& tensor) {
  if (tensor.type == DType::kF32) return "F32";
  if (tensor.type == DType::kF16) return "F16";
  if (tensor.type == DType::kBF16) return "BF16";
  fail(ErrorCode::kUnsupported, "tensor {}: safetensors has no type for {}; use f32, f16 or bf16",
       printable(tensor.name), dtype_name(tensor.type));
}

std::string quote(std::string_view text) {
  try {
    return Json(text).dump();
  } catch (const Json::type_error&) {
    fail(ErrorCode::kUnsupported, "{}: is not UTF-8, which safetensors wants", printable(text));
  }
}

std::string quote(const TensorInfo& tensor, uint64_t begin, uint64_t end) {
  const auto dims = std::span(tensor.shape.dims).first(static_cast<size_t>(tensor.shape.rank));
  return fmt::format(R"({}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                     quote(tensor.name), type_name(tensor),
                     fmt::join(dims.rbegin(), dims.rend(), ","), begin, end);
}

// Everything before the weights, and how many bytes they have.
struct Header {
  std::string bytes;
  uint64_t weights;
};

Header encode_header(const std::map<std::string, std::string>& metadata,
                     const std::vector<TensorInfo>& tensors) {
  std::vector<std::string> fields;
  std::vector<std::string> texts;
  for (const auto& [key, text] : metadata) texts.push_back(quote(key) + ":" + quote(text));
  if (!texts.empty()) {
    fields.push_back(fmt::format(R"("__metadata__":{{{}}})", fmt::join(texts, ",")));
  }
  uint64_t weights = 0;
  for (const TensorInfo& tensor : tensors) {
    const auto end = checked_add(weights, tensor.bytes());
    if (!end || *end > INT64_MAX) {
      fail(ErrorCode::kUsage, "the tensors have more bytes than a file can hold");
    }
    fields.push_back(quote(tensor, weights, *end));
    weights = *end;
  }
  std::string json = fmt::format("{{{}}}", fmt::join(fields, ","));
  json.resize(checked_align(json.size(), kAlignment).value(), ' ');
  if (json.size() > kSafetensorsMaxHeaderBytes) {
    fail(ErrorCode::kUnsupported, "the header has {} bytes, safetensors readers take at most {}",
         json.size(), kSafetensorsMaxHeaderBytes);
  }
  std::string bytes(kLengthBytes, '\0');
  for (size_t i = 0; i < kLengthBytes; ++i) bytes[i] = static_cast<char>(json.size() >> (8 * i));
  return {bytes + json, weights};
}

void check_names(const std::filesystem::path& path, const std::vector<TensorInfo>& tensors) {
  if (std::ranges::count(tensors, "__metadata__", &TensorInfo::name) > 0) {
    fail(ErrorCode::kUsage, "{}: no tensor can have the name __metadata__", path.string());
  }
}

}  // namespace

SafetensorsSink::SafetensorsSink(const std::filesystem::path& path,
                                 const std::map<std::string, std::string>& metadata,
                                 std::vector<TensorInfo> tensors)
    : progress_(path, tensors), file_(path, safetensors_file_bytes(metadata, tensors)) {
  check_names(path, tensors);
  const Header header = encode_header(metadata, tensors);
  file_.write_at(0, bytes_of(header.bytes));
  uint64_t offset = header.bytes.size();
  for (const TensorInfo& tensor : tensors) {
    offsets_.push_back(offset);
    offset += tensor.bytes();
  }
}

void SafetensorsSink::write(size_t tensor, uint64_t offset, std::span<const std::byte> bytes) {
  progress_.take(tensor, offset, bytes.size());
  file_.write_at(offsets_[tensor] + offset, bytes);
}

void SafetensorsSink::finish() {
  progress_.require_complete();
  file_.commit();
}

uint64_t safetensors_file_bytes(const std::map<std::string, std::string>& metadata,
                                const std::vector<TensorInfo>& tensors) {
  const Header header = encode_header(metadata, tensors);
  return header.bytes.size() + header.weights;
}

}  // namespace nibble
