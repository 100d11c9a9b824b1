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

// Of a tensor that is part of the model. A bias is a row, or one row for each expert; a scale
// is one number, or one for each expert.
MatrixShape expected_shape(const TensorPlace& place, const ModelConfig& config, int64_t vocab_size);

// Whether a layer of such a model may have it.
bool is_part_of(const TensorPlace& place, const ModelConfig& config);
// Of those that may be there; the others have to. Queries, keys and values may be in one matrix.
bool is_optional(const TensorPlace& place, const ModelConfig& config);
// Without an output matrix the embedding serves.
bool is_tied(std::span<const TensorInfo> tensors);

// The tensors of a checkpoint whose weights are all of one type, in the order that Renamed gives
// them: the optional ones only where asked for.
struct TensorListOptions {
  int64_t vocab_size = 0;
  bool has_output = true;       // else the embedding serves
  std::vector<Role> made = {};  // that no checkpoint holds (RenamedOptions::made), f32
  DType type{};
};
std::vector<TensorInfo> tensors_of(const ModelConfig& config, const TensorListOptions& options);

}  // namespace nibble
