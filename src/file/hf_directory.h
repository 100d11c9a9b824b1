// HfDirectory: a model as Hugging Face's Transformers stores it: config.json, weights
// (safetensors or PyTorch's), and the tokenizer's files, in one folder.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "file/quantized_weights.h"
#include "file/weight_files.h"
#include "tensor/source.h"

namespace nibble {

// A small file such as tokenizer.json, read anew at every call. std::nullopt when it is not there.
// Error kUnsupported beyond 256 MiB.
std::optional<std::string> find_text_file(const std::filesystem::path& path);

// By the ending of its name: .safetensors, or .bin, .pt, .pth of PyTorch.
bool is_weight_file(const std::filesystem::path& path);

class HfDirectory final : public TensorSource {
 public:
  // `path` is the folder, or a file of weights with config.json beside it. In a folder the weights
  // are model.safetensors, else the shards of model.safetensors.index.json, else the only
  // .safetensors file; else pytorch_model.bin, the shards of pytorch_model.bin.index.json, or the
  // only .bin, .pth or .pt file. Errors: kNotFound for what is missing, and those of
  // SafetensorsFile, TorchFile and, where the config has a quantization_config, QuantizedWeights.
  explicit HfDirectory(const std::filesystem::path& path);
  HfDirectory(const HfDirectory&) = delete;
  HfDirectory& operator=(const HfDirectory&) = delete;

  // From now on tensors() has quantized weights that `keep` is true of in the blocks that they are
  // stored in, where GGUF has such (quantized_weights.h); at first none.
  void keep_blocks(KeepBlocks keep);
  bool keeps_blocks() const { return quantized_ && quantized_->keeps_blocks(); }

  const std::filesystem::path& folder() const { return folder_; }
  const JsonObject& config() const { return config_; }
  // nullptr: there is no generation_config.json.
  const JsonObject* generation_config() const {
    return generation_config_ ? &*generation_config_ : nullptr;
  }

  // Tensors of the weights that tensors() lacks. Complain only about one that is needed.
  const std::vector<UnsupportedTensor>& unsupported() const {
    return quantized_ ? quantized_->unsupported() : weights_->unsupported();
  }
  const std::vector<std::unique_ptr<InputFile>>& files() const { return weights_->files(); }

  const std::vector<TensorInfo>& tensors() const override { return source().tensors(); }
  void read_rows(size_t tensor, uint64_t first, uint64_t count,
                 std::span<std::byte> out) const override {
    source().read_rows(tensor, first, count, out);
  }
  std::span<const std::byte> view(size_t tensor) const override { return source().view(tensor); }

 private:
  const TensorSource& source() const {
    return quantized_ ? static_cast<const TensorSource&>(*quantized_) : *weights_;
  }

  std::filesystem::path folder_;
  Json config_json_;  // the JsonObjects point to these: the class can be neither copied nor moved
  JsonObject config_;
  Json generation_config_json_;
  std::optional<JsonObject> generation_config_;
  std::unique_ptr<WeightFiles> weights_;
  std::unique_ptr<QuantizedWeights> quantized_;  // around weights_
};

}  // namespace nibble
