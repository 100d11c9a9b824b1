#include "file/safetensors.h"

#include <algorithm>

#include "base/error.h"
#include "codec/formats.h"
#include "file/weight_index.h"

namespace nibble {
SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) {
  if (path.extension() == ".json") {
    open_weight_index(path, ".safetensors", [this](const auto& shard) { return open_file(shard); });
  } else {
    open_file(path);
  }
  join_pairs();
}

void SafetensorsFile::join_pairs() {
  pairs_ = find_mxfp4_pairs(stored_);
  for (const Mxfp4Pair& pair : pairs_) {
    std::erase_if(unsupported_, [&](const UnsupportedTensor& tensor) {
      return tensor.name == pair.blocks.name || tensor.name == pair.scales.name;
    });
    files_.add({pair.blocks.name, DType::kMXFP4, pair.shape}, pair.blocks.file, pair.blocks.offset);
  }
}

void SafetensorsFile::read_rows(size_t tensor, uint64_t first, uint64_t count,
                                std::span<std::byte> out) const {
  if (!is_pair(tensor)) return files_.read_rows(tensor, first, count, out);
  const size_t singles = files_.tensors().size() - pairs_.size();
  read_mxfp4_rows(pairs_[tensor - singles], files_.files(), first, count, out);
}

// Returns the names of all its tensors, sorted.
std::vector<std::string> SafetensorsFile::open_file(const std::filesystem::path& path) {
  const InputFile& file = files_.open(path);
  SafetensorsHeader header = parse_safetensors_header(file.map(), file.name());
  std::vector<std::string> names;
  for (UnsupportedTensor& tensor : header.unsupported) {
    names.push_back(tensor.name);
    unsupported_.push_back(std::move(tensor));
  }
  for (StoredTensor& tensor : header.stored) {
    tensor.file = files_.files().size() - 1;
    stored_.push_back(std::move(tensor));
  }
  for (size_t i = 0; i < header.tensors.size(); ++i) {
    names.push_back(header.tensors[i].name);
    files_.add(std::move(header.tensors[i]), header.offsets[i]);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace nibble
