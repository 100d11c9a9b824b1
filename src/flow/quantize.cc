// nibble::quantize: model -> tensors under GGUF names -> plan -> codec -> GGUF, some rows at a
// time.
#include "nibble/quantize.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/output_file.h"
#include "file/gguf_split.h"
#include "file/journal.h"
#include "file/tensor_files.h"
#include "flow/column_scales.h"
#include "flow/kept_blocks.h"
#include "flow/lock_record.h"
#include "flow/plan_outputs.h"
#include "flow/quantize_report.h"
#include "flow/quantize_request.h"
#include "flow/run_support.h"
#include "flow/write_outputs.h"
#include "model/config.h"
#include "model/weights.h"
#include "plan/builtin.h"

namespace nibble {
namespace {

void check_targets(const ModelSource& model, const std::vector<QuantizeTarget>& targets) {
  if (targets.empty()) fail(ErrorCode::kUsage, "no type was named");
  for (size_t i = 0; i < targets.size(); ++i) {
    require_other_file(targets[i].path, model.files());
    for (size_t k = 0; k < i; ++k) {
      if (targets[i].path.lexically_normal() == targets[k].path.lexically_normal()) {
        fail(ErrorCode::kUsage, "{}: two types ({} and {}) would be written to one file",
             targets[i].path.string(), targets[k].type, targets[i].type);
      }
    }
  }
}

bool keeps_split(const ModelSource& model, const QuantizeOptions& options) {
  return options.keep_split && model.tensors_in_files().size() > 1;
}

// Targets that are split as the source is, under the names that their first files get.
std::vector<QuantizeTarget> first_parts(std::vector<QuantizeTarget> targets,
                                        const ModelSource& model) {
  const std::string ending = split_ending(1, model.files().size());
  for (QuantizeTarget& target : targets) {
    if (target.path.extension() == ".gguf") target.path.replace_extension();
    target.path += ending;
  }
  return targets;
}

// A GGUF of an architecture that this version cannot run is converted as it stands.
void check_model(const ModelSource& model) {
  const auto arch = model.metadata.find_string("general.architecture");
  if (!arch || find_arch(*arch) == nullptr) return;
  check_tensors(model.tensors(), config_from_metadata(model.metadata), model.path.string());
}

// Returns how many inputs have other scales now.
size_t scale_columns(const PlannedOutput& output, const RunOptions& run, ModelSource& model,
                     EncodingRules& rules) {
  std::vector<DType> types(model.tensors().tensors().size());
  for (const PlannedTensor& planned : output.plan) types[planned.source_index] = planned.type;
  ThreadPool pool(run.threads);
  const ColumnScales scales = find_column_scales(model, types, rules, pool, run);
  apply_column_scales(scales, model, rules);
  return scales.inputs.size();
}

// For each target the tensors that it wants as floats.
std::vector<std::set<std::string>> names_to_decode(const ModelSource& model, PlanRequest request,
                                                   const std::vector<QuantizeTarget>& targets) {
  request.allow_requantize = true;  // only to see what they would be
  std::vector<std::set<std::string>> names;
  for (const QuantizeTarget& target : targets) {
    const auto output = plan_output(model, target.type, request, target.recipe);
    names.push_back(names_to_decode(model, output.plan));
  }
  return names;
}

// Outputs that see different tensors in the source are written one after the other.
QuantizeResult quantize_each(const std::filesystem::path& model,
                             const std::vector<QuantizeTarget>& targets,
                             const QuantizeOptions& options) {
  QuantizeResult all;
  for (const QuantizeTarget& target : targets) {
    QuantizeResult one = quantize(model, {target}, options);
    one.files.insert(one.files.begin(), all.files.begin(), all.files.end());
    one.unusable_moments.insert(one.unusable_moments.begin(), all.unusable_moments.begin(),
                                all.unusable_moments.end());
    one.seconds += all.seconds;
    one.source_bytes += all.source_bytes;
    one.peak_buffer_bytes = std::max(one.peak_buffer_bytes, all.peak_buffer_bytes);
    all = std::move(one);
  }
  return all;
}

}  // namespace

std::vector<std::string> quantize_types() {
  std::vector<std::string> names;
  for (const auto& recipe : builtin_recipes()) names.emplace_back(recipe.name);
  names.emplace_back(kCopyType);
  return names;
}

std::optional<std::string> find_quantize_type(std::string_view text) {
  if (is_copy_type(text)) return std::string(kCopyType);
  const BuiltinRecipe* builtin = find_builtin_recipe(text);
  return builtin == nullptr ? std::nullopt : std::optional<std::string>(builtin->name);
}

std::vector<std::filesystem::path> find_unfinished(const std::filesystem::path& model_path,
                                                   std::vector<QuantizeTarget> targets,
                                                   const QuantizeOptions& options) {
  if (options.keep_split) {
    const ModelSource model = open_model(model_path);
    if (keeps_split(model, options)) targets = first_parts(std::move(targets), model);
  }
  std::vector<std::filesystem::path> found;
  for (const QuantizeTarget& target : targets) {
    std::error_code ignored;  // what cannot be looked at is nothing to go on with
    if (std::filesystem::exists(part_path(target.path), ignored) &&
        std::filesystem::exists(journal_path(target.path), ignored)) {
      found.push_back(target.path);
    }
  }
  return found;
}

QuantizeResult quantize(const std::filesystem::path& model_path,
                        const std::vector<QuantizeTarget>& asked_targets,
                        const QuantizeOptions& options) {
  const Stopwatch watch;
  ModelSource model = open_model(model_path);
  const bool is_split = keeps_split(model, options);
  const auto targets = is_split ? first_parts(asked_targets, model) : asked_targets;
  check_targets(model, targets);
  if (options.scaling == Scaling::kAwq && targets.size() > 1) {
    fail(ErrorCode::kUsage,
         "scales are searched for one type: {} types need as many calls with awq scaling",
         targets.size());
  }
  QuantizeRequest request = read_request(options, model);
  check_model(model);
  const auto names = names_to_decode(model, request.plan, targets);
  if (std::ranges::any_of(names, [&](const auto& other) { return other != names.front(); }))
    return quantize_each(model_path, targets, options);
  if (!names.front().empty()) {
    model = decoded(std::move(model), names.front());
    request = read_request(options, model);
  }
  std::vector<PlannedOutput> outputs;
  QuantizeResult result;
  for (const QuantizeTarget& target : targets) {
    outputs.push_back(plan_output(model, target.type, request.plan, target.recipe));
    if (is_split) outputs.back().tensors_in_part = model.tensors_in_files();
    add_lock_record(model, options, request, outputs.back());
    result.files.push_back(report_output(target, outputs.back(), request.rules.importance));
  }
  result.method = request.method;
  result.importance_tensors = request.rules.importance.count();
  result.pooled_experts = request.rules.importance.pooled_experts();
  result.feedback_tensors = request.rules.feedback.tensor_count();
  if (options.scaling == Scaling::kAwq && !options.dry_run)
    result.scaled_inputs = scale_columns(outputs.front(), options.run, model, request.rules);
  if (!options.dry_run) {
    write_outputs(model, request.rules, targets, outputs, options, result);
  }
  result.seconds = watch.seconds();
  return result;
}

}  // namespace nibble
