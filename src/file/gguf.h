// GgufFile: a GGUF model as a source of tensors. A model that was split over several files
// (PREFIX-00001-of-0000N.gguf, as llama.cpp's gguf-split makes them) is opened by its first.
#pragma once

#include <filesystem>

#include "base/metadata.h"
#include "file/tensor_files.h"
#include "tensor/source.h"

namespace nibble {

class GgufFile final : public TensorSource {
 public:
  // Reads and checks the header of every file of the model. Errors: those of InputFile and of
  // parse_gguf_header; kNotFound for a missing part of a split; kUsage for a later part.
  explicit GgufFile(const std::filesystem::path& path);

  // Its origin is the path. Keys about the split (split.*) are left out: this is the whole model.
  const Metadata& metadata() const { return metadata_; }
  uint32_t version() const { return version_; }
  const std::vector<std::unique_ptr<InputFile>>& files() const { return files_.files(); }

  size_t file_of(size_t tensor) const { return files_.file_of(tensor); }  // into files()

  const std::vector<TensorInfo>& tensors() const override { return files_.tensors(); }
  void read_rows(size_t tensor, uint64_t first, uint64_t count,
                 std::span<std::byte> out) const override {
    files_.read_rows(tensor, first, count, out);
  }
  std::span<const std::byte> view(size_t tensor) const override { return files_.view(tensor); }
  void forget(size_t tensor) const override { files_.forget(tensor); }

 private:
  void open_first(const std::filesystem::path& path);
  void open_others(const std::filesystem::path& path, uint64_t count);

  Metadata metadata_;
  uint32_t version_ = 0;
  TensorFiles files_;
};

}  // namespace nibble
