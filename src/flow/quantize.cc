// nibble::quantize: model -> tensors under GGUF names -> plan -> codec -> GGUF, some rows at a
// time.
#include "nibble/quantize.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <memory>

#include "base/error.h"
#include "base/output_file.h"
#include "file/gguf_sink.h"
#include "flow/plan_outputs.h"
#include "flow/quantize_report.h"
#include "flow/quantize_request.h"
#include "flow/quantize_tensors.h"
#include "flow/run_support.h"
#include "model/config.h"
#include "model/weights.h"
#include "plan/builtin.h"

namespace nibble {
namespace {

bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code ignored;  // a target that does not exist is no file of the source
  return std::filesystem::equivalent(a, b, ignored);
}

void check_targets(const ModelSource& model, const std::vector<QuantizeTarget>& targets) {
  if (targets.empty()) fail(ErrorCode::kUsage, "no type was named");
  for (size_t i = 0; i < targets.size(); ++i) {
    for (const auto& file : model.files()) {
      if (is_same_file(targets[i].path, file->path())) {
        fail(ErrorCode::kUsage, "{}: the target is the source itself; choose another name",
             targets[i].path.string());
      }
    }
    for (size_t k = 0; k < i; ++k) {
      if (targets[i].path.lexically_normal() == targets[k].path.lexically_normal()) {
        fail(ErrorCode::kUsage, "{}: two types ({} and {}) would be written to one file",
             targets[i].path.string(), targets[k].type, targets[i].type);
      }
    }
  }
}

// A GGUF of an architecture that this version cannot run is converted as it stands.
void check_model(const ModelSource& model) {
  const auto arch = model.metadata.find_string("general.architecture");
  if (!arch || find_arch(*arch) == nullptr) return;
  check_tensors(model.tensors(), config_from_metadata(model.metadata), model.path.string());
}

// Each sink looks at the room for its own file; together they must fit, too.
void check_room(const std::vector<QuantizeTarget>& targets,
                const std::vector<PlannedOutput>& outputs) {
  std::map<dev_t, uint64_t> needed;
  for (size_t i = 0; i < targets.size(); ++i) {
    const auto folder = std::filesystem::absolute(targets[i].path).parent_path();
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0) {
      fail(ErrorCode::kIo, "{}: its folder does not exist", targets[i].path.string());
    }
    uint64_t& bytes = needed[status.st_dev];
    bytes += gguf_file_bytes(outputs[i].metadata, outputs[i].tensors);
    require_free_space(targets[i].path, bytes);
  }
}

void write_outputs(const ModelSource& model, const std::vector<QuantizeTarget>& targets,
                   const std::vector<PlannedOutput>& outputs, const QuantizeRequest& request,
                   const QuantizeOptions& options, QuantizeResult& result) {
  check_room(targets, outputs);
  std::vector<std::unique_ptr<GgufSink>> files;
  std::vector<TensorSink*> sinks;
  for (size_t i = 0; i < targets.size(); ++i) {
    files.push_back(
        std::make_unique<GgufSink>(targets[i].path, outputs[i].metadata, outputs[i].tensors));
    sinks.push_back(files.back().get());
  }
  ThreadPool pool(options.run.threads);
  const auto totals = quantize_tensors(model.tensors(), request.importance, outputs, sinks,
                                       options.memory_limit, pool, options.run);
  for (const auto& file : files) file->finish();
  result.source_bytes = totals.source_bytes;
  result.peak_buffer_bytes = totals.peak_buffer_bytes;
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

QuantizeResult quantize(const std::filesystem::path& model_path,
                        const std::vector<QuantizeTarget>& targets,
                        const QuantizeOptions& options) {
  const Stopwatch watch;
  ModelSource model = open_model(model_path);
  check_targets(model, targets);
  const QuantizeRequest request = read_request(options, model);
  check_model(model);
  std::vector<PlannedOutput> outputs;
  QuantizeResult result;
  for (const QuantizeTarget& target : targets) {
    outputs.push_back(plan_output(model, target.type, request.plan));
    result.files.push_back(report_output(target, outputs.back(), request.importance));
  }
  result.importance_tensors = request.importance.count();
  if (!options.dry_run) write_outputs(model, targets, outputs, request, options, result);
  result.seconds = watch.seconds();
  return result;
}

}  // namespace nibble
