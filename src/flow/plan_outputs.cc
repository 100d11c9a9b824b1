#include "flow/plan_outputs.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/input_file.h"
#include "codec/codec.h"
#include "file/gguf_split.h"
#include "plan/builtin.h"
#include "text/definition.h"

namespace nibble {
namespace {

// Sets the output's recipe and, unless it is there, its text.
Recipe read_recipe(PlannedOutput& output) {
  const std::string& type = output.type;
  if (is_recipe_file(type)) {
    constexpr uint64_t kLargest = 1 << 20;
    output.recipe = std::filesystem::path(type).filename().string();
    if (output.recipe_text.empty()) output.recipe_text = read_text_file(type, kLargest);
    return Recipe::parse(output.recipe_text, type);
  }
  if (const BuiltinRecipe* builtin = find_builtin_recipe(type)) {
    output.recipe = builtin->name;
    output.recipe_text = builtin->text;
    return builtin->parse();
  }
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

void plan_copy(const ModelSource& model, const PlanRequest& request, PlannedOutput& output) {
  if (request.types.chooses_types() || !request.keys.entries().empty()) {
    fail(ErrorCode::kUsage,
         "the type copy keeps every tensor as it is stored: it goes with no option that chooses "
         "types, and with no importance matrix");
  }
  output.plan = make_copy_plan(model.tensors().tensors(), model.is_checkpoint());
  if (!output.metadata.contains("general.file_type")) {
    output.metadata.set("general.file_type", kFileTypeUnknown);
  }
}

void plan_recipe(const ModelSource& model, const PlanRequest& request, PlannedOutput& output) {
  const Recipe recipe = read_recipe(output);
  const auto& tensors = model.tensors().tensors();
  PlanOptions types = request.types;
  types.is_checkpoint = model.is_checkpoint();
  output.plan = make_plan(tensors, model.metadata, recipe, types);
  if (is_recipe_file(output.type)) output.notes = unmatched_lines(recipe, tensors, model.metadata);
  for (std::string& note : unmatched_rules(request.types.rules, tensors)) {
    output.notes.push_back(std::move(note));
  }
  output.metadata.set("general.quantization_version", uint32_t{2});
  output.metadata.set("general.file_type", recipe.file_type().value_or(kFileTypeUnknown));
}

}  // namespace

bool is_copy_type(std::string_view type) {
  return std::ranges::equal(type, kCopyType,
                            [](unsigned char a, char b) { return std::tolower(a) == b; });
}

bool is_recipe_file(std::string_view type) { return type.ends_with(".recipe"); }

PlannedOutput plan_output(const ModelSource& model, const std::string& type,
                          const PlanRequest& request, const std::string& recipe) {
  const auto& stored = model.tensors().tensors();
  PlannedOutput output;
  output.type = type;
  output.recipe_text = recipe;
  output.metadata = model.metadata;
  if (is_copy_type(type)) {
    plan_copy(model, request, output);
  } else {
    plan_recipe(model, request, output);
  }
  for (const PlannedTensor& planned : output.plan) {
    TensorInfo tensor = stored[planned.source_index];
    if (!request.allow_requantize) check_requantize(model, tensor, planned.type);
    tensor.type = planned.type;
    output.tensors.push_back(std::move(tensor));
  }
  for (const auto& [key, value] : request.keys.entries()) output.metadata.set(key, value);
  for (const KeyOverride& key : request.overrides) key.apply_to(output.metadata);
  if (model.is_checkpoint() && has_unnamed_pre_tokenizer(output.metadata)) {
    output.unmatched_pre_tokenizer = "default";
    output.notes.push_back(
        "its pre-tokenizer is none that llama.cpp has a name for: tokenizer.ggml.pre is "
        "\"default\", "
        "and programs that go by it make other tokens of a text; nibble itself does as the source "
        "does (--override-kv tokenizer.ggml.pre=str:NAME if you know a better one)");
  }
  return output;
}

std::vector<GgufPart> parts_of(const PlannedOutput& output, const std::filesystem::path& first) {
  const size_t count = output.tensors_in_part.size();
  if (count == 0) return {{first, output.metadata, output.tensors}};
  return split_into_parts(split_prefix(first, count), output.metadata, output.tensors,
                          output.tensors_in_part);
}

}  // namespace nibble
