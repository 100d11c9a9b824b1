// HfDirectory: a model as Hugging Face's Transformers stores it: config.json, safetensors weights,
// and the tokenizer's files, in one folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "file/safetensors.h"
#include "tensor/source.h"

namespace nibble {

// A small file such as tokenizer.json, read anew at every call. std::nullopt when it is not there.
// Error kUnsupported beyond 256 MiB.
std::optional<std::string> find_text_file(const std::filesystem::path& path);

class HfDirectory final : public TensorSource {
 public:
  // `path` is the folder, or a .safetensors file with config.json beside it. In a folder the
  // weights are model.safetensors, else the shards of model.safetensors.index.json, else the only
  // .safetensors file. Errors: kNotFound for what is missing, kUnsupported when the weights are
  // stored in a way that this version cannot read, and those of SafetensorsFile.
  explicit HfDirectory(const std::filesystem::path& path);
  HfDirectory(const HfDirectory&) = delete;
  HfDirectory& operator=(const HfDirectory&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  const JsonObject& config() const { return config_; }
  // nullptr: there is no generation_config.json.
  const JsonObject* generation_config() const {
    return generation_config_ ? &*generation_config_ : nullptr;
  }

  // Tensors of the weights that tensors() lacks. Complain only about one that is needed.
  const std::vector<UnsupportedTensor>& unsupported() const { return weights_.unsupported(); }
  const std::vector<std::unique_ptr<InputFile>>& files() const { return weights_.files(); }

  const std::vector<TensorInfo>& tensors() const override { return weights_.tensors(); }
  void read_rows(size_t tensor, uint64_t first, uint64_t count,
                 std::span<std::byte> out) const override {
    weights_.read_rows(tensor, first, count, out);
  }
  std::span<const std::byte> view(size_t tensor) const override { return weights_.view(tensor); }

 private:
  std::filesystem::path folder_;
  Json config_json_;  // the JsonObjects point to these: the class can be neither copied nor moved
  JsonObject config_;
  Json generation_config_json_;
  std::optional<JsonObject> generation_config_;
  SafetensorsFile weights_;
};

}  // namespace nibble
