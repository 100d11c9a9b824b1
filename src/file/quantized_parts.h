// QuantizedParts: what the methods of quantized_weights.h share: the stored tensors by name, each
// with its elements as floats or integers, and the weights that came of them.
#pragma once

#include <cstring>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "file/quantized_weights.h"

namespace nibble {

// A stored tensor in the mapped file.
struct Part {
  std::string name, type;
  std::vector<uint64_t> shape;  // PyTorch's order
  const std::byte* data;

  uint64_t count() const;
  uint64_t dim(size_t i) const { return i < shape.size() ? shape[i] : 1; }
  float value(uint64_t i) const;      // of F32, F16, BF16 or one of the F8 types
  int64_t integer(uint64_t i) const;  // of an integer type
  template <class T>
  T element(uint64_t i) const {
    T value;
    std::memcpy(&value, data + i * sizeof value, sizeof value);
    return value;
  }
};

class QuantizedParts {
 public:
  QuantizedParts(const WeightFiles& source, const JsonObject& config, KeepBlocks keep);

  const JsonObject& config() const { return config_; }
  const std::string& where() const { return config_.file_name(); }
  // Stems of the tensors whose names end so, sorted: "a.qweight" -> "a".
  std::vector<std::string> stems(std::string_view ending) const;
  const Part* find(const std::string& name) const;
  // Error kInvalidFile when it is missing or empty, of another type or of another shape (empty:
  // any).
  const Part& require(const std::string& name, std::initializer_list<std::string_view> types,
                      const std::vector<uint64_t>& shape = {}) const;
  // As it is no tensor of the model.
  void take(const std::string& name) { taken_.insert(name); }
  // A weight [rows, columns] of PyTorch's (or with dimensions before) that the parts make.
  void add(std::string name, const std::vector<uint64_t>& shape, DecodeRow decode);
  // The same in blocks of a type, for weights that keeps() is true of.
  void add_blocks(std::string name, DType type, const std::vector<uint64_t>& shape, PackRow pack);
  // Whether blocks of this type can hold such rows, and are wanted.
  bool keeps(const std::string& name, DType type, uint64_t columns) const;

  const std::set<std::string, std::less<>>& taken() const { return taken_; }
  std::vector<DecodedWeight>& weights() { return weights_; }

 private:
  void add(const std::vector<uint64_t>& shape, DecodedWeight weight);

  JsonObject config_;
  KeepBlocks keep_;
  std::map<std::string, Part, std::less<>> parts_;
  std::set<std::string, std::less<>> taken_;
  std::vector<DecodedWeight> weights_;
};

// The methods; each adds weights and takes what they are made of.
void decode_fp8(QuantizedParts& parts);
void decode_gptq(QuantizedParts& parts);
void decode_awq(QuantizedParts& parts);
void decode_bitsandbytes(QuantizedParts& parts);
void decode_compressed_tensors(QuantizedParts& parts);
void decode_modelopt(QuantizedParts& parts);

// What several of them share: codes of 8 bits with a scale per tensor, row, group or block, and
// pairs of 4-bit floats, NVFP4's with a scale per 16 and MXFP4's with one per 32.
void add_scaled_bytes(QuantizedParts& parts, const std::string& weight, const std::string& scale,
                      const std::string& zero_point, const std::vector<uint64_t>& block);
void add_nvfp4(QuantizedParts& parts, const std::string& name, const Part& codes,
               const Part& scales, const Part& global, bool divides);
void add_mxfp4(QuantizedParts& parts, const std::string& name, const Part& codes,
               const Part& scales);
void take_activation_scales(QuantizedParts& parts);

}  // namespace nibble
