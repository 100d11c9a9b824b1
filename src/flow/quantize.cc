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
#include "flow/importance.h"
#include "flow/plan_outputs.h"
#include "flow/quantize_tensors.h"
#include "flow/run_support.h"
#include "model/config.h"
#include "model/weights.h"
#include "plan/recipe.h"

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

PlanRequest plan_request(const QuantizeOptions& options, const TensorImportance& importance) {
  PlanRequest request;
  request.types.pure = options.pure;
  request.allow_requantize = options.allow_requantize;
  add_importance_keys(options.imatrix, importance.matrix(), request.keys);
  return request;
}

QuantizedFile report(const QuantizeTarget& target, const PlannedOutput& output,
                     const TensorSource& source) {
  QuantizedFile file;
  file.type = target.type;
  file.path = target.path;
  file.bytes = gguf_file_bytes(output.metadata, output.tensors);
  uint64_t bytes = 0;
  for (size_t i = 0; i < output.tensors.size(); ++i) {
    file.weights += output.tensors[i].shape.count();
    bytes += output.tensors[i].bytes();
    const PlannedTensor& planned = output.plan[i];
    if (planned.wanted != planned.type) {
      file.fallbacks.push_back(
          {source.tensors()[planned.source_index].name, planned.wanted, planned.type});
    }
  }
  file.bits_per_weight =
      8.0 * static_cast<double>(bytes) / static_cast<double>(std::max<uint64_t>(file.weights, 1));
  return file;
}

}  // namespace

std::vector<std::string> quantize_types() {
  std::vector<std::string> names;
  for (const auto& recipe : builtin_recipes()) names.emplace_back(recipe.name);
  return names;
}

QuantizeResult quantize(const std::filesystem::path& model_path,
                        const std::vector<QuantizeTarget>& targets,
                        const QuantizeOptions& options) {
  const Stopwatch watch;
  const ModelSource model = open_model(model_path);
  check_targets(model, targets);
  check_model(model);
  const TensorImportance importance(load_importance(options), model.tensors().tensors());
  const PlanRequest request = plan_request(options, importance);
  std::vector<PlannedOutput> outputs;
  for (const QuantizeTarget& target : targets) {
    outputs.push_back(plan_output(model, target.type, request));
  }
  check_room(targets, outputs);
  std::vector<std::unique_ptr<GgufSink>> files;
  std::vector<TensorSink*> sinks;
  for (size_t i = 0; i < targets.size(); ++i) {
    files.push_back(
        std::make_unique<GgufSink>(targets[i].path, outputs[i].metadata, outputs[i].tensors));
    sinks.push_back(files.back().get());
  }
  ThreadPool pool(options.run.threads);
  const auto totals = quantize_tensors(model.tensors(), importance, outputs, sinks,
                                       options.memory_limit, pool, options.run);
  for (const auto& file : files) file->finish();

  QuantizeResult result;
  for (size_t i = 0; i < targets.size(); ++i)
    result.files.push_back(report(targets[i], outputs[i], model.tensors()));
  result.importance_tensors = importance.count();
  result.seconds = watch.seconds();
  result.source_bytes = totals.source_bytes;
  result.peak_buffer_bytes = totals.peak_buffer_bytes;
  return result;
}

}  // namespace nibble
