// SafetensorsFile: safetensors weights as a source of tensors: one file, or the shards that an
// index (model.safetensors.index.json) names.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "file/mxfp4_pairs.h"
#include "file/safetensors_header.h"
#include "file/tensor_files.h"
#include "tensor/source.h"

namespace nibble {

class SafetensorsFile final : public WeightFiles {
 public:
  // `path` is a .safetensors file, or an index whose name ends in .json. Errors: those of InputFile
  // and of parse_safetensors_header; kInvalidFile when index and shards contradict each other;
  // kNotFound for a missing shard.
  explicit SafetensorsFile(const std::filesystem::path& path);

  // tensors(): F32, F16 and BF16; a PyTorch weight [out, in] has the shape {in, out}. Pairs of
  // tensors that hold MXFP4 weights are one of that type (mxfp4_pairs.h).
  void read_rows(size_t tensor, uint64_t first, uint64_t count,
                 std::span<std::byte> out) const override;
  // The format does not align tensors: the view is empty for those that are not by chance.
  std::span<const std::byte> view(size_t tensor) const override {
    return is_pair(tensor) ? std::span<const std::byte>() : files_.view(tensor);
  }

 private:
  bool is_pair(size_t tensor) const { return tensor >= files_.tensors().size() - pairs_.size(); }
  void join_pairs();
  std::vector<std::string> open_file(const std::filesystem::path& path);

  std::vector<Mxfp4Pair> pairs_;  // the last ones of the tensors
};

}  // namespace nibble
