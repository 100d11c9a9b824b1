// A plan: the type of every tensor of one output, from a recipe and the tensors' shapes.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/metadata.h"
#include "plan/recipe.h"
#include "plan/type_rule.h"
#include "tensor/source.h"

namespace nibble {

struct PlannedTensor {
  size_t source_index;  // into the source's tensors
  DType type;
  DType wanted;  // by the recipe; another than `type` when no block of it divides the rows
};

// What users say about single tensors stands before the recipe: output and token_embedding, then
// the first of `rules` that matches, then the recipe. The shape's fallback comes last in each case.
struct PlanOptions {
  bool pure = false;            // the recipe's base type for every tensor that can be quantized
  bool leave_output = false;    // output.weight keeps its type
  bool importance = false;      // there is an importance matrix: recipes ask
  bool is_checkpoint = false;   // the tensors are Hugging Face's: routers of experts become f32
  std::optional<DType> output;  // of output.weight or of the token embedding that serves as output
  std::optional<DType> token_embedding;
  std::vector<TypeRule> rules;

  bool chooses_types() const {
    return pure || leave_output || output || token_embedding || !rules.empty();
  }
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

// The type that the options give a tensor that is_quantizable(), whatever the recipe says; none
// when it is the recipe's to say.
std::optional<DType> fixed_type(const TensorInfo& tensor, const std::vector<TensorInfo>& tensors,
                                const PlanOptions& options);

// A sentence for each selector of a recipe that means no tensor that can be quantized.
std::vector<std::string> unmatched_lines(const Recipe& recipe,
                                         const std::vector<TensorInfo>& tensors,
                                         const Metadata& metadata);

// A sentence for each rule whose pattern is in no name of a tensor that can be quantized.
std::vector<std::string> unmatched_rules(const std::vector<TypeRule>& rules,
                                         const std::vector<TensorInfo>& tensors);

// Every tensor as it is stored; of a checkpoint what make_plan makes f32 is f32.
std::vector<PlannedTensor> make_copy_plan(const std::vector<TensorInfo>& tensors,
                                          bool is_checkpoint);

RecipeContext recipe_context(const std::vector<TensorInfo>& tensors, const Metadata& metadata);

}  // namespace nibble
