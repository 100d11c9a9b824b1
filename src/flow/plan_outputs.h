// From what a user asks for ("q4_k_m", a .recipe file) to what each tensor of a model becomes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/metadata.h"
#include "file/gguf_sink.h"
#include "flow/key_override.h"
#include "flow/model_source.h"
#include "nibble/quantize.h"
#include "plan/plan.h"

namespace nibble {

constexpr std::string_view kCopyType = "copy";
bool is_copy_type(std::string_view type);    // in any letter case
bool is_recipe_file(std::string_view type);  // X.recipe

struct PlannedOutput {
  std::string type;    // as the user named it
  std::string recipe;  // its name, of a .recipe file the file's; empty: a copy
  std::string recipe_text;
  std::vector<PlannedTensor> plan;  // one for each tensor of the source, in its order
  std::vector<TensorInfo> tensors;  // as they will be written
  Metadata metadata;                // of the file
  // Of an output that is split as the source is: how many tensors each part gets. Else empty.
  std::vector<size_t> tensors_in_part;
  std::vector<std::string>
      notes;  // what the user should know, as lines of a recipe that match nothing
  std::string unmatched_pre_tokenizer;  // see QuantizedFile
  std::string record;      // what its lock record says, as describe_lock_record() shows it
  bool is_locked = false;  // it has a record of its own, whose hashes are known at the end
};

// The files of an output, of which `first` is the first.
std::vector<GgufPart> parts_of(const PlannedOutput& output, const std::filesystem::path& first);

// What all outputs of one call have in common.
struct PlanRequest {
  PlanOptions types;
  bool allow_requantize = false;
  Metadata keys;                       // set in every output, over what stands there,
  std::vector<KeyOverride> overrides;  // and these over all
};

// `type` is a recipe's name in any letter case, its general.file_type as a number, the path of a
// .recipe file (or, with a text in `recipe`, what that is called), or "copy": every tensor as it is
// stored. Errors: kUsage for an unknown type, those
// of a bad recipe, and kUnsupported for a source that is quantized already (unless
// allow_requantize).
PlannedOutput plan_output(const ModelSource& model, const std::string& type,
                          const PlanRequest& request, const std::string& recipe = {});

}  // namespace nibble
