// Renamed: a Hugging Face checkpoint as GGUF names and lays out its tensors. Nothing is copied
// until it is read.
#pragma once

#include <memory>
#include <vector>

#include "model/arch.h"
#include "model/roles.h"
#include "tensor/source.h"

namespace nibble {

struct RenamedOptions {
  uint64_t heads = 0;  // rows of q and k are reordered per head
  uint64_t kv_heads = 0;
  bool tied_output =
      false;  // the checkpoint's output matrix, if any, repeats the embedding: left out
  std::vector<float> rope_factors;  // becomes the tensor rope_freqs.weight when not empty
};

class Renamed final : public TensorSource {
 public:
  // Tensors come in the order of layers, as roles.h lists them. Errors: kUnsupported for a tensor
  // that the architecture has no role for, kInvalidFile for q or k rows that the heads do not
  // divide.
  Renamed(const TensorSource& source, const Arch& arch, RenamedOptions options);

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  void read_rows(size_t tensor, uint64_t first, uint64_t count,
                 std::span<std::byte> out) const override;
  std::span<const std::byte> view(size_t tensor) const override;

 private:
  struct Origin {
    size_t tensor = 0;     // of the source
    uint64_t heads = 0;    // > 0: rows are reordered within that many heads
    bool is_made = false;  // rope_factors, not in the source
  };
  void add(const TensorInfo& stored, size_t index, TensorPlace place);
  void sort_by_place();

  const TensorSource& source_;
  RenamedOptions options_;
  std::vector<TensorInfo> tensors_;
  std::vector<Origin> origins_;
  std::vector<TensorPlace> places_;
};

}  // namespace nibble
