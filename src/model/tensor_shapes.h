// Which tensors a model has, and of which shapes, by its config.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/config.h"
#include "model/roles.h"
#include "tensor/source.h"

namespace nibble {

struct MatrixShape {
  int64_t rows;  // 0: any
  int64_t columns;
  int64_t experts = 1;  // as many matrices
};

MatrixShape expected_shape(Role role, const ModelConfig& config, int64_t vocab_size);

bool is_optional(Role role);
// Without an output matrix the embedding serves.
bool is_tied(std::span<const TensorInfo> tensors);
// Feed-forward networks are one a layer, or experts and what chooses among them.
bool is_part_of(Role role, const ModelConfig& config);
// Small enough for exact arithmetic: vectors, and the routers that choices hang on.
bool is_kept_f32(Role role);
// By batches of activations; embeddings are looked up.
bool is_multiplied(Role role);

// The tensors of a checkpoint whose weights are all of one type, in the order that Renamed gives
// them: the optional ones only where asked for.
struct TensorListOptions {
  int64_t vocab_size = 0;
  bool has_output = true;         // else the embedding serves
  bool has_rope_factors = false;  // f32
  DType type{};
};
std::vector<TensorInfo> tensors_of(const ModelConfig& config, const TensorListOptions& options);

}  // namespace nibble
