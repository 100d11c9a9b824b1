// Scales for the columns of matrices, AWQ's way (arXiv:2306.00978): columns that multiply large
// activations are made larger before they are rounded, by (root mean square of the activations)^a,
// and what produces these activations smaller. `a` is searched for on a grid, for each input alone:
// the one with the least error of a sample of the rows, with the method and types that they will be
// rounded by. a = 0 changes nothing and is one of them.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "flow/encoding_rules.h"
#include "flow/model_source.h"
#include "model/scaled.h"
#include "nibble/progress.h"

namespace nibble {

// Matrices that share an input, all that multiply it, and the tensor that it comes from by a factor
// for each column: a norm, or a matrix whose rows these are.
struct ScalableInput {
  std::vector<size_t> matrices;
  size_t producer;
  uint64_t repeats = 1;       // heads that follow each other and share the producer's rows,
  uint64_t head_columns = 0;  // of so many columns each; 0: one column a row
};

// attn_norm -> attn_q, attn_k, attn_v; attn_v -> attn_output; ffn_norm -> ffn_gate, ffn_up; ffn_up
// -> ffn_down, in layers that have these without biases, experts or other matrices that read the
// same.
std::vector<ScalableInput> scalable_inputs(const ModelSource& model);

struct ColumnScales {
  std::map<size_t, TensorScales> of_tensors;  // for Scaled
  struct Input {
    std::vector<size_t> matrices;
    std::vector<float> columns;
    double exponent;
    double error;  // that is left, of the error without scales
  };
  std::vector<Input> inputs;  // of those that are scaled
};

// types: of the model's tensors, by index, as they will be. The rules speak of the unscaled model
// and have importance; inputs without are left alone. Bits depend on neither threads nor ISA.
ColumnScales find_column_scales(const ModelSource& model, const std::vector<DType>& types,
                                const EncodingRules& rules, ThreadPool& pool,
                                const RunOptions& run);

// The model and the rules as if activations had been what they are with these scales.
void apply_column_scales(const ColumnScales& scales, ModelSource& model, EncodingRules& rules);

}  // namespace nibble
