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
#include <span>
#include <string>
#include <vector>

#include "file/weight_files.h"

namespace nibble {

struct TorchContent {
  std::vector<StoredTensor> stored;  // in file 0, all that can be: others are unsupported
  std::vector<UnsupportedTensor> unsupported;
};

// Reads and checks everything but the weights. `file` is the whole file. Errors: those of pickle.h
// and stored_zip.h; kInvalidFile for tensors that leave their storage.
TorchContent parse_torch_file(std::span<const std::byte> file, const std::string& file_name);

class TorchFile final : public WeightFiles {
 public:
  // `path` is a file, or an index whose name ends in .json (pytorch_model.bin.index.json). Errors:
  // those of InputFile, parse_torch_file() and open_weight_index().
  explicit TorchFile(const std::filesystem::path& path);

 private:
  std::vector<std::string> open_file(const std::filesystem::path& path);
};

}  // namespace nibble
