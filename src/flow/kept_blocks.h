// Which weights of a checkpoint that are blocks of GGUF already an output keeps as they are: those
// that it wants in that type. For all others the checkpoint is opened as floats.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "flow/model_source.h"
#include "flow/plan_outputs.h"
#include "nibble/quantize.h"

namespace nibble {

// The stored names of tensors that are blocks in `model`, as open_model() gives it, and that `plan`
// gives another type.
std::set<std::string> names_to_decode(const ModelSource& model,
                                      const std::vector<PlannedTensor>& plan);

// The model of which those are floats; `model` itself when there are none.
ModelSource decoded(ModelSource model, const std::set<std::string>& names);

// The same for a type's plan.
ModelSource open_model_for(const std::filesystem::path& path, const std::string& type);

}  // namespace nibble
