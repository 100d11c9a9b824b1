#include "flow/kept_blocks.h"

#include <utility>

#include "codec/formats.h"

namespace nibble {

std::set<std::string> names_to_decode(const ModelSource& model,
                                      const std::vector<PlannedTensor>& plan) {
  std::set<std::string> names;
  if (model.hf == nullptr || !model.hf->keeps_blocks()) return names;
  for (const PlannedTensor& planned : plan) {
    const DType stored = model.tensors().tensors()[planned.source_index].type;
    const bool is_block = stored == DType::kNVFP4 || stored == DType::kMXFP4;
    if (is_block && planned.type != stored) names.insert(model.stored_name(planned.source_index));
  }
  return names;
}

ModelSource decoded(ModelSource model, const std::set<std::string>& names) {
  if (names.empty()) return model;
  return open_model(model.path,
                    [&](std::string_view name) { return !names.contains(std::string(name)); });
}

ModelSource open_model_for(const std::filesystem::path& path, const std::string& type) {
  ModelSource model = open_model(path);
  PlanRequest request;
  request.allow_requantize = true;  // only to see what it would be
  const auto names = names_to_decode(model, plan_output(model, type, request).plan);
  return decoded(std::move(model), names);
}

}  // namespace nibble
