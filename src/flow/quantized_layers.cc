#include "flow/quantized_layers.h"

#include <algorithm>

#include "codec/codec.h"
#include "flow/importance.h"
#include "flow/plan_outputs.h"
#include "flow/tensor_rounding.h"
#include "quant/feedback_factor.h"

namespace nibble {

QuantizedLayers::QuantizedLayers(const Model::Parts& model, const std::string& type)
    : model_(model) {
  PlanRequest request;
  request.types.importance = true;
  request.allow_requantize = true;
  plan_ = plan_output(model.source, type, request).plan;
}

QuantizedLayers::~QuantizedLayers() {
  for (auto& [place, views] : before_) model_.weights->exchange(place, std::move(views));
}

void QuantizedLayers::quantize(int64_t layer, const std::vector<InputStatistics>& inputs,
                               const ImportanceMatrix& importance) {
  const auto& tensors = model_.source.tensors().tensors();
  const TensorImportance known(importance, tensors);
  for (const InputStatistics& input : inputs) {
    if (input.layer != layer || input.roles.front() == Role::kOutput) continue;
    std::vector<std::optional<FeedbackFactor>> factors;
    for (const auto& moments : input.moments) {
      const std::vector<float> triangle(moments.begin(), moments.end());
      factors.push_back(triangle.empty()
                            ? std::nullopt
                            : make_feedback_factor(triangle, input.columns, *model_.pool));
    }
    for (const Role role : input.roles) {
      const std::string name = gguf_name({role, static_cast<uint64_t>(layer)});
      const auto found = std::ranges::find(tensors, name, &TensorInfo::name);
      if (found == tensors.end()) continue;
      const auto tensor = static_cast<size_t>(found - tensors.begin());
      quantize(tensor, known.of(tensor), factors);
    }
  }
}

void QuantizedLayers::quantize(size_t tensor, std::span<const float> importance,
                               const std::vector<std::optional<FeedbackFactor>>& factors) {
  const DType type = plan_[tensor].type;
  const TensorSource& source = model_.source.tensors();
  const TensorInfo& info = source.tensors()[tensor];
  if (type == info.type || codec(type).domain != Domain::kInteger) return;
  const TensorRounding rounding(source, tensor, {importance, Effort::kDefault, factors});
  bytes_.push_back(rounding.encode(type, *model_.pool));
  const TensorPlace place = *place_from_gguf_name(info.name);
  before_.emplace_back(place, model_.weights->exchange(place, views_of(info, type, bytes_.back())));
}

}  // namespace nibble
