// A plan: the type of every tensor of one output, from a recipe and the tensors' shapes.
#pragma once

#include <cstddef>
#include <vector>

#include "base/metadata.h"
#include "plan/recipe.h"
#include "tensor/source.h"

namespace nibble {

struct PlannedTensor {
  size_t source_index;  // into the source's tensors
  DType type;
  DType wanted;  // by the recipe; another than `type` when no block of it divides the rows
};

struct PlanOptions {
  bool pure = false;  // the recipe's base type for every tensor that can be quantized
};

// Whether a tensor is a matrix of weights that may be quantized: at least two dimensions,
// NAME.weight, no norm, no expert router and none of the small tensors that llama.cpp leaves alone,
// too.
bool is_quantizable(const TensorInfo& tensor);

// One entry a tensor, in order. Vectors and norms become f32; other tensors that are not
// quantizable keep their type. `metadata` has GGUF's general.architecture, ARCH.block_count,
// ARCH.expert_count, ARCH.attention.head_count and head_count_kv.
std::vector<PlannedTensor> make_plan(const std::vector<TensorInfo>& tensors,
                                     const Metadata& metadata, const Recipe& recipe,
                                     const PlanOptions& options = {});

RecipeContext recipe_context(const std::vector<TensorInfo>& tensors, const Metadata& metadata);

}  // namespace nibble
