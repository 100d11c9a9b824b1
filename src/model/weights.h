// Weights: a model's tensors by role, ready for the forward pass, used where they lie when the
// source can show them.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/huge_pages.h"
#include "base/threads.h"
#include "model/config.h"
#include "model/roles.h"
#include "nibble/activations.h"
#include "tensor/source.h"
#include "tensor/view.h"

namespace nibble {

// Checks that the source has every tensor that the architecture needs, in the shape that the config
// says, and no other. Reads no weights. Error kInvalidFile naming `origin`, the model, and the
// tensor.
void check_tensors(const TensorSource& source, const ModelConfig& config,
                   const std::string& origin);

class Weights {
 public:
  // `source` has passed check_tensors() and must outlive the weights. Norms, biases and routers
  // are converted to f32; other tensors keep their type.
  // A matrix's scale (MatrixScale::kProduct) is its views'.
  // `activations`: how those are rounded that quantized matrices are multiplied with.
  Weights(const TensorSource& source, const ModelConfig& config,
          Activations activations = Activations::kNibble);

  // Keeps the matrices whose type allows it interleaved (kernel/interleaving.h), too: a copy of
  // interleaved_bytes(), for which `source`, the same as before, can forget its own. Error kIo when
  // the system has no memory.
  void interleave(const TensorSource& source, ThreadPool& pool);
  uint64_t interleaved_bytes() const;
  // The copy that interleave() made. `bytes` of another object with the same source, of the same
  // size, can be used instead and must outlive this one.
  std::span<const std::byte> interleaved() const { return interleaved_; }
  void use_interleaved(const TensorSource& source, std::span<const std::byte> bytes);

  // `expert`: of those whose matrices are stacked in the tensor.
  const TensorView& of(Role role, int64_t layer = 0, int64_t expert = 0) const {
    return views_[static_cast<size_t>(layer) * kRoleCount + static_cast<size_t>(role)]
                 [static_cast<size_t>(expert)];
  }
  // What is added to what comes out of it; nullptr: nothing.
  const float* bias(Role role, int64_t layer = 0, int64_t expert = 0) const {
    const TensorView& view =
        biases_[static_cast<size_t>(layer) * kRoleCount + static_cast<size_t>(role)];
    return view ? reinterpret_cast<const float*>(view.row(expert)) : nullptr;
  }
  // Vectors, as floats; nullptr where there is none.
  const float* vector(Role role, int64_t layer = 0) const {
    return reinterpret_cast<const float*>(of(role, layer).data);
  }
  // Multiplies with other matrices from now on: the experts', or one, of a tensor that
  // is_multiplied() or the embedding (and, where it serves as output, there, too), under the scales
  // that are there. Returns what they replace, which comes back the same way. What they lie in must
  // outlive their use.
  std::vector<TensorView> exchange(const TensorPlace& place, std::vector<TensorView> views);
  int64_t vocab_size() const { return of(Role::kTokenEmbd).rows; }
  uint64_t bytes() const { return bytes_; }  // of all tensors in use
  Activations activations() const { return activations_; }

 private:
  void load(const TensorSource& source, size_t tensor, const TensorPlace& place);
  void load_scales(const TensorSource& source, size_t tensor, const TensorPlace& place);
  void divide_keys_and_values(const ModelConfig& config, int64_t layer);
  void load_as_f32(const TensorSource& source, size_t tensor, TensorView& view);
  // make(view, offset) for each matrix that has a place in the copy, which is ready then.
  void for_interleaved(const TensorSource& source,
                       const std::function<void(TensorView&, uint64_t)>& make);

  std::vector<std::vector<TensorView>> views_;       // layers x roles, each a matrix or experts'
  std::vector<TensorView> biases_;                   // layers x roles, f32
  std::vector<TensorView> tied_output_;              // while another embedding serves as output
  std::vector<std::unique_ptr<std::byte[]>> owned_;  // tensors that the source can only read out
  HugePages copy_;
  std::span<const std::byte> interleaved_;
  uint64_t bytes_ = 0;
  Activations activations_;
};

}  // namespace nibble
