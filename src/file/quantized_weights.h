// QuantizedWeights: weights of checkpoints that are quantized already, as the float weights that
// their parts stand for (config.json's quantization_config says which parts and how). Rows are
// computed when they are read, straight from the mapped file: f32, because products of codes and
// scales are rounded by every shorter type. Those whose codes and scales are what a block of GGUF
// holds can be kept as they are instead. docs/formats/checkpoints.md has the layouts.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "file/weight_files.h"
#include "tensor/source.h"

namespace nibble {

// Computes one row.
using DecodeRow = std::function<void(uint64_t row, float* out)>;
// The same in the blocks of the tensor's type.
using PackRow = std::function<void(uint64_t row, std::byte* out)>;

// One of the two is there.
struct DecodedWeight {
  TensorInfo tensor;
  DecodeRow decode;  // f32
  PackRow pack;
};

// Whether weights under this name are wanted in the blocks that they are stored in, where GGUF has
// such. Those of nvfp4 have their scale beside them: the name and this, f32, one number or one for
// each expert.
using KeepBlocks = std::function<bool(std::string_view name)>;
inline constexpr std::string_view kMatrixScale = "_scale_2";

// The quantization_config of a config.json, also of its "text_config"; nullptr: there is none.
const Json* find_quantization(const JsonObject& config);

class QuantizedWeights final : public TensorSource {
 public:
  // `source` must outlive this. Tensors that are no part of a quantized weight stay as they are.
  // `keep`: none keeps no blocks.
  // Errors: kUnsupported for a method, format or field that is not known, kInvalidFile for parts
  // that are missing or do not fit together.
  QuantizedWeights(const WeightFiles& source, const JsonObject& quantization,
                   KeepBlocks keep = nullptr);

  const std::vector<UnsupportedTensor>& unsupported() const { return unsupported_; }
  bool keeps_blocks() const;  // of any weights
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  void read_rows(size_t tensor, uint64_t first, uint64_t count,
                 std::span<std::byte> out) const override;
  std::span<const std::byte> view(size_t tensor) const override {
    return tensor < kept_.size() ? source_.view(kept_[tensor]) : std::span<const std::byte>();
  }

 private:
  const WeightFiles& source_;
  std::vector<TensorInfo> tensors_;  // those that are kept, then those that are made of parts
  std::vector<size_t> kept_;         // of source_.tensors()
  std::vector<DecodedWeight> made_;  // the tensors after these
  std::vector<UnsupportedTensor> unsupported_;
};

}  // namespace nibble
