// Pruned: a model without some of its layers. The others keep their order and are numbered anew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metadata.h"
#include "tensor/source.h"

namespace nibble {

// Which layers of a model go.
class PrunedLayers {
 public:
  PrunedLayers() = default;  // none
  // Error kUsage for a layer that the model has not, or when none would be left.
  PrunedLayers(std::vector<uint64_t> layers, uint64_t layer_count);

  bool empty() const { return layers_.empty(); }
  bool contains(uint64_t layer) const;
  // What blk.N. of a GGUF name becomes; std::nullopt: the tensor goes, too.
  std::optional<std::string> rename(std::string_view name) const;
  // ARCH.block_count, and the arrays of ARCH.* that are as long as the model has layers, except for
  // sections of RoPE and labels, which only may be so by chance.
  void apply_to(Metadata& metadata, std::string_view arch) const;

 private:
  std::vector<uint64_t> layers_;  // ascending
  uint64_t layer_count_ = 0;
};

class Pruned final : public TensorSource {
 public:
  Pruned(const TensorSource& source, const PrunedLayers& layers);

  size_t origin(size_t tensor) const { return origins_[tensor]; }  // into the source's tensors

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  void read_rows(size_t tensor, uint64_t first, uint64_t count,
                 std::span<std::byte> out) const override {
    source_.read_rows(origins_[tensor], first, count, out);
  }
  std::span<const std::byte> view(size_t tensor) const override {
    return source_.view(origins_[tensor]);
  }
  std::span<const std::byte> view_rows(size_t tensor, uint64_t first,
                                       uint64_t count) const override {
    return source_.view_rows(origins_[tensor], first, count);
  }

 private:
  const TensorSource& source_;
  std::vector<TensorInfo> tensors_;
  std::vector<size_t> origins_;  // of the source's tensors
};

}  // namespace nibble
