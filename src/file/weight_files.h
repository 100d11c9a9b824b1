// WeightFiles: what the readers of checkpoints share: tensors that a TensorSource can hand out, and
// every tensor as it is stored, of which some are parts of weights (quantized_weights.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "file/tensor_files.h"
#include "tensor/source.h"

namespace nibble {

// A tensor that is well formed, but nothing that a TensorSource can hand out.
struct UnsupportedTensor {
  std::string name;
  std::string reason;  // "type F8_E4M3", "5 dimensions", "no elements"
};

// Its bytes lie in the file, one element after the other.
struct StoredTensor {
  std::string name;
  std::string type;             // as safetensors calls it: "F8_E4M3"
  std::vector<uint64_t> shape;  // PyTorch's order
  size_t file;                  // into files()
  uint64_t offset;
};

class WeightFiles : public TensorSource {
 public:
  // Tensors that tensors() lacks. Complain only about one that is needed.
  const std::vector<UnsupportedTensor>& unsupported() const { return unsupported_; }
  const std::vector<std::unique_ptr<InputFile>>& files() const { return files_.files(); }
  // All that have elements of a type whose size is known.
  const std::vector<StoredTensor>& stored() const { return stored_; }
  // The whole file that their offsets are in.
  virtual std::span<const std::byte> content(size_t file) const { return files()[file]->map(); }

  const std::vector<TensorInfo>& tensors() const override { return files_.tensors(); }
  void read_rows(size_t tensor, uint64_t first, uint64_t count,
                 std::span<std::byte> out) const override {
    files_.read_rows(tensor, first, count, out);
  }
  std::span<const std::byte> view(size_t tensor) const override { return files_.view(tensor); }

 protected:
  TensorFiles files_;
  std::vector<UnsupportedTensor> unsupported_;
  std::vector<StoredTensor> stored_;
};

// The types of stored tensors. std::nullopt: not known.
std::optional<uint64_t> stored_type_bits(std::string_view type);
std::optional<DType> stored_dtype(std::string_view type);  // what a TensorSource can hand out
// std::nullopt when the bytes cannot be counted.
std::optional<uint64_t> stored_bytes(std::string_view type, const std::vector<uint64_t>& shape);
// Why a TensorSource cannot hand out such a tensor; empty when it can.
std::string find_unsupported(std::string_view type, const std::vector<uint64_t>& shape);
// Of at most 4 dimensions; a scalar has one column.
Shape shape_from_pytorch(const std::vector<uint64_t>& dims);

}  // namespace nibble
