#include "flow/plan_outputs.h"

#include "base/error.h"
#include "base/input_file.h"
#include "codec/codec.h"
#include "plan/recipe.h"

namespace nibble {
namespace {

Recipe find_recipe(const std::string& type) {
  if (type.ends_with(".recipe")) {
    constexpr uint64_t kLargest = 1 << 20;
    return Recipe::parse(read_text_file(type, kLargest), type);
  }
  if (auto recipe = find_builtin_recipe(type)) return *std::move(recipe);
  std::string known;
  for (const std::string& name : quantize_types()) known += (known.empty() ? "" : " ") + name;
  fail(ErrorCode::kUsage, "unknown type \"{}\"; use one of: {}, or the path of a .recipe file",
       type, known);
}

bool is_float(DType type) { return codec(type).domain == Domain::kFloat; }

void check_requantize(const ModelSource& model, const TensorInfo& tensor, DType wanted) {
  if (is_float(tensor.type) || tensor.type == wanted) return;
  fail(ErrorCode::kUnsupported,
       "{}: tensor {} is {} already; quantizing it again to {} loses twice. Start from the "
       "original model, or insist "
       "with --allow-requantize",
       model.path.string(), tensor.name, dtype_name(tensor.type), dtype_name(wanted));
}

// general.file_type of a recipe that does not say one; readers then look at the tensors
// (llama.cpp's "guessed").
constexpr uint32_t kFileTypeUnknown = 1024;

}  // namespace

PlannedOutput plan_output(const ModelSource& model, const std::string& type,
                          const PlanRequest& request) {
  const Recipe recipe = find_recipe(type);
  const auto& stored = model.tensors().tensors();
  PlannedOutput output;
  output.type = type;
  output.plan = make_plan(stored, model.metadata, recipe, request.types);
  for (const PlannedTensor& planned : output.plan) {
    TensorInfo tensor = stored[planned.source_index];
    if (!request.allow_requantize) check_requantize(model, tensor, planned.type);
    tensor.type = planned.type;
    output.tensors.push_back(std::move(tensor));
  }
  output.metadata = model.metadata;
  output.metadata.set("general.quantization_version", uint32_t{2});
  output.metadata.set("general.file_type", recipe.file_type().value_or(kFileTypeUnknown));
  for (const auto& [key, value] : request.keys.entries()) output.metadata.set(key, value);
  return output;
}

}  // namespace nibble
