// What GGUF and safetensors share: tensors that lie as plain bytes in one or more files.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/input_file.h"
#include "tensor/source.h"

namespace nibble {

// The bytes of a tensor; std::nullopt when the shape is not countable, the columns are no multiple
// of the type's block, or the bytes do not fit 63 bits.
std::optional<uint64_t> checked_tensor_bytes(DType type, const Shape& shape);

// A name that stands in the list more than once. n log n comparisons whatever the names are: a hash
// table could be flooded.
std::optional<std::string_view> find_duplicate(std::vector<std::string_view> names);
std::optional<std::string_view> find_duplicate(const std::vector<TensorInfo>& tensors);

// Error kUsage when `target`, which is to be written, is one of the files of its source.
void require_other_file(const std::filesystem::path& target,
                        const std::vector<std::unique_ptr<InputFile>>& source);

class TensorFiles {
 public:
  // Errors: those of InputFile.
  const InputFile& open(const std::filesystem::path& path);
  // A tensor in the file that was opened last; its bytes must lie inside it.
  void add(TensorInfo tensor, uint64_t offset) {
    add(std::move(tensor), files_.size() - 1, offset);
  }
  void add(TensorInfo tensor, size_t file, uint64_t offset);

  const std::vector<std::unique_ptr<InputFile>>& files() const { return files_; }
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  size_t file_of(size_t tensor) const { return places_[tensor].file; }  // into files()

  // As TensorSource says. Error kUsage when the rows are outside the tensor or `out` has another
  // size.
  void read_rows(size_t tensor, uint64_t first, uint64_t count, std::span<std::byte> out) const;
  // Empty when the bytes are not aligned to the elements.
  std::span<const std::byte> view(size_t tensor) const;
  void forget(size_t tensor) const;

 private:
  struct Place {
    size_t file;
    uint64_t offset;
  };

  std::vector<std::unique_ptr<InputFile>> files_;
  std::vector<TensorInfo> tensors_;
  std::vector<Place> places_;
};

}  // namespace nibble
