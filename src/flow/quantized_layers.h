// Layers of a loaded model that are quantized one after another while it is calibrated, so that
// what later layers multiply is what they will multiply in the quantized model (GPTQ's "true
// sequential", arXiv:2210.17323).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "calib/activation_statistics.h"
#include "file/imatrix.h"
#include "flow/model.h"
#include "plan/plan.h"
#include "quant/feedback_factor.h"

namespace nibble {

class QuantizedLayers {
 public:
  // `type`: as quantize() takes it; matrices are rounded with error feedback and default effort.
  // The model computes with its own weights again when the object goes. Errors: those of a bad
  // type.
  QuantizedLayers(const Model::Parts& model, const std::string& type);
  ~QuantizedLayers();
  QuantizedLayers(const QuantizedLayers&) = delete;
  QuantizedLayers& operator=(const QuantizedLayers&) = delete;

  // The matrices of a layer, by the statistics of what they multiply: of those of `inputs` that are
  // the layer's and have moments.
  void quantize(int64_t layer, const std::vector<InputStatistics>& inputs,
                const ImportanceMatrix& importance);

 private:
  void quantize(size_t tensor, std::span<const float> importance,
                const std::vector<std::optional<FeedbackFactor>>& factors);

  const Model::Parts& model_;
  std::vector<PlannedTensor> plan_;
  std::vector<std::vector<std::byte>> bytes_;
  std::vector<std::pair<TensorPlace, std::vector<TensorView>>> before_;
};

}  // namespace nibble
