#include "file/tensor_files.h"

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"

namespace nibble {

std::optional<uint64_t> checked_tensor_bytes(DType type, const Shape& shape) {
  if (!shape_is_countable(shape) || shape.columns() % block_weights(type) != 0) return std::nullopt;
  const auto bytes = checked_mul(shape.count() / block_weights(type), block_bytes(type));
  return bytes && *bytes <= INT64_MAX ? bytes : std::nullopt;
}

std::optional<std::string_view> find_duplicate(std::vector<std::string_view> names) {
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  return twice == names.end() ? std::nullopt : std::optional(*twice);
}

std::optional<std::string_view> find_duplicate(const std::vector<TensorInfo>& tensors) {
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  for (const TensorInfo& tensor : tensors) names.push_back(tensor.name);
  return find_duplicate(std::move(names));
}

void require_other_file(const std::filesystem::path& target,
                        const std::vector<std::unique_ptr<InputFile>>& source) {
  for (const auto& file : source) {
    std::error_code ignored;  // a target that does not exist is no file of the source
    if (!std::filesystem::equivalent(target, file->path(), ignored)) continue;
    fail(ErrorCode::kUsage, "{}: the target is the source itself; choose another name",
         target.string());
  }
}

const InputFile& TensorFiles::open(const std::filesystem::path& path) {
  return *files_.emplace_back(std::make_unique<InputFile>(path));
}

void TensorFiles::add(TensorInfo tensor, size_t file, uint64_t offset) {
  tensors_.push_back(std::move(tensor));
  places_.push_back({file, offset});
}

void TensorFiles::read_rows(size_t tensor, uint64_t first, uint64_t count,
                            std::span<std::byte> out) const {
  const TensorInfo& info = tensors_.at(tensor);
  const Place& place = places_[tensor];
  const uint64_t rows = info.shape.rows();
  if (first > rows || count > rows - first || out.size() != count * info.row_bytes()) {
    fail(ErrorCode::kUsage, "{}: {}: rows {} to {} of {} wanted into {} bytes",
         files_[place.file]->name(), info.name, first, first + count, rows, out.size());
  }
  files_[place.file]->read(place.offset + first * info.row_bytes(), out);
}

std::span<const std::byte> TensorFiles::view(size_t tensor) const {
  const TensorInfo& info = tensors_.at(tensor);
  const Place& place = places_[tensor];
  // Blocks of quantized weights stand in GGUF alone, which aligns every tensor to 8 or more.
  if (block_weights(info.type) == 1 && place.offset % block_bytes(info.type) != 0) return {};
  return files_[place.file]->map().subspan(place.offset, info.bytes());
}

void TensorFiles::forget(size_t tensor) const {
  const Place& place = places_.at(tensor);
  files_[place.file]->forget(place.offset, tensors_[tensor].bytes());
}

}  // namespace nibble
