// TorchFile: weights that torch.save wrote, as a source of tensors. Layouts (torch/serialization.py
// and caffe2/serialize/inline_container.h):
//
//   since PyTorch 1.6, a ZIP archive of stored entries:
//     NAME/data.pkl   the state dict; storages by key (pickle.h)
//     NAME/data/KEY   the elements of a storage, little-endian
//     NAME/byteorder  "little", where it is there
//   before, and with _use_new_zipfile_serialization=False, one after the other:
//     pickles: a magic number, 1001, {"little_endian": True, ...}, the state dict, [key, ...]
//     for each key: i64 elements, these elements
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "file/weight_files.h"

namespace nibble {

// Elements that do not follow each other in their storage: transposed, cut out of rows, expanded.
struct StridedTensor {
  StoredTensor tensor;            // the offset is that of its first element
  std::vector<uint64_t> strides;  // from element to element along each dimension, in elements
};

struct TorchContent {
  std::vector<StoredTensor> stored;    // in file 0, all that can be: others are unsupported
  std::vector<StridedTensor> strided;  // likewise, of types that a TensorSource hands out
  std::vector<UnsupportedTensor> unsupported;
};

// Bytes of an expanded tensor, unless its storage is larger.
constexpr uint64_t kTorchMaxExpanded = uint64_t{1} << 26;

// Reads and checks everything but the weights. `file` is the whole file. Errors: those of pickle.h
// and stored_zip.h; kInvalidFile for tensors that leave their storage, or that are larger
// than both it and kTorchMaxExpanded.
TorchContent parse_torch_file(std::span<const std::byte> file, const std::string& file_name);

// Rows of the tensor as TensorSource hands them out: `count` of them, from `first` on, which are
// there. `file`: as above.
void gather_rows(const StridedTensor& strided, std::span<const std::byte> file, uint64_t first,
                 uint64_t count, std::span<std::byte> out);

class TorchFile final : public WeightFiles {
 public:
  // `path` is a file, or an index whose name ends in .json (pytorch_model.bin.index.json). Errors:
  // those of InputFile, parse_torch_file() and open_weight_index().
  explicit TorchFile(const std::filesystem::path& path);

  void read_rows(size_t tensor, uint64_t first, uint64_t count,
                 std::span<std::byte> out) const override;
  std::span<const std::byte> view(size_t tensor) const override {
    return strided_.contains(tensor) ? std::span<const std::byte>() : WeightFiles::view(tensor);
  }

 private:
  void add_strided(StridedTensor strided);
  std::vector<std::string> open_file(const std::filesystem::path& path);

  std::map<size_t, StridedTensor> strided_;  // by tensor
};

}  // namespace nibble
