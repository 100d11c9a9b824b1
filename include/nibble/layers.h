// Where a quantized model loses what it loses: layer by layer and tensor by tensor beside its
// reference.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nibble/dtype.h"
#include "nibble/model.h"

namespace nibble {

struct LayerOptions {
  int64_t context = 512;  // tokens in a window; the windows are those of evaluate.h
  int64_t windows = 8;    // the first so many only; 0: all
};

// Of the residual stream after a layer, a being the model's and r the reference's row of a token.
struct LayerDifference {
  int64_t layer;
  double cosine;          // mean over the tokens of a.r / |a||r|
  double relative_error;  // root of the mean over the tokens of |a - r|^2 / |r|^2
};

// Of a tensor's weights a and the reference's r.
struct TensorDifference {
  std::string name;
  DType type;
  DType reference_type;
  uint64_t bytes;
  double relative_error;  // |a - r| / |r|
  // The same with each column's squares weighted by the mean square of the activations that met it
  // in the reference: about the relative error of the product. NaN where no activation was seen
  // (embeddings; experts that nobody chose).
  double weighted_error;
};

struct LayerView {
  std::vector<LayerDifference> layers;
  std::vector<TensorDifference> tensors;  // matrices, in the order of the model
  int64_t tokens = 0;                     // that both models read
  double seconds = 0;
};

// Runs both models over the text. Memory: that of the models, and of one layer's output for each
// layer and a batch of some dozens of tokens. Errors: kUsage when the models are of different
// shapes or tokenizers, or the text has less than a window.
LayerView compare_layers(const Model& model, const Model& reference, std::string_view text,
                         const LayerOptions& options = {}, const RunOptions& run = {});

}  // namespace nibble
