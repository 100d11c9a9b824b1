// Renamed: a Hugging Face checkpoint as GGUF names and lays out its tensors. Nothing is copied
// until it is read.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/arch.h"
#include "model/roles.h"
#include "tensor/source.h"

namespace nibble {

struct RenamedOptions {
  uint64_t heads = 0;  // rows of q and k are reordered per head
  uint64_t kv_heads = 0;
  uint64_t experts = 0;  // whose matrices are stacked into one tensor
  bool tied_output =
      false;  // the checkpoint's output matrix, if any, repeats the embedding: left out
  std::vector<float> rope_factors;  // becomes the tensor rope_freqs.weight when not empty
  std::string origin = {};          // what messages call the checkpoint
};

class Renamed final : public TensorSource {
 public:
  // Tensors come in the order of layers, as roles.h lists them. Errors: kUnsupported for a tensor
  // that the architecture has no role for, kInvalidFile for q or k rows that the heads do not
  // divide, and for experts that are missing, too many or unlike each other.
  Renamed(const TensorSource& source, const Arch& arch, RenamedOptions options);

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  void read_rows(size_t tensor, uint64_t first, uint64_t count,
                 std::span<std::byte> out) const override;
  std::span<const std::byte> view(size_t tensor) const override;
  std::span<const std::byte> view_rows(size_t tensor, uint64_t first,
                                       uint64_t count) const override;

 private:
  struct Origin {
    std::vector<size_t> parts;  // of the source, whose rows follow each other; none: rope_factors
    uint64_t heads = 0;         // > 0: rows are reordered within that many heads
  };
  // An expert's matrix.
  struct Part {
    TensorPlace place;
    uint64_t expert;
    size_t tensor;  // of the source
  };
  void add(TensorInfo tensor, const TensorPlace& place, Origin origin);
  void add_stored(size_t index, const TensorPlace& place, const Arch& arch);
  void add_stacked(std::vector<Part> parts);
  TensorInfo stack(std::span<const Part> parts) const;
  void sort_by_place();
  uint64_t rows_of_part(size_t tensor) const;

  const TensorSource& source_;
  RenamedOptions options_;
  std::vector<TensorInfo> tensors_;
  std::vector<Origin> origins_;
  std::vector<TensorPlace> places_;
};

}  // namespace nibble
