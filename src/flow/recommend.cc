#include "nibble/recommend.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "base/huge_pages.h"
#include "flow/expected_loss.h"
#include "flow/gpu_layers.h"
#include "flow/hf_conformance.h"
#include "flow/kv_type.h"
#include "flow/lock_record.h"
#include "flow/memory_model.h"
#include "flow/plan_outputs.h"
#include "flow/quantize_report.h"
#include "flow/recommend_choice.h"
#include "flow/run_support.h"
#include "flow/speed_model.h"
#include "kernel/machine_limits.h"
#include "model/tensor_shapes.h"
#include "model/weights.h"
#include "plan/builtin.h"

namespace nibble {
namespace {

// A model with what every candidate needs of it.
struct Subject {
  ModelSource source;
  ModelConfig config;
  int64_t vocab_size = 0;
  bool is_quantized = false;
};

// A candidate's file, as it would be written.
struct Output {
  PlannedOutput plan;
  QuantizedFile file;
  TypeLoss loss;
};

Subject open_subject(const std::filesystem::path& path) {
  Subject subject;
  subject.source = open_model_outline(path);
  if (subject.source.is_checkpoint()) {  // as the file would have it
    const bool is_folder = std::filesystem::is_directory(path);
    add_conformance_of(is_folder ? path : path.parent_path(), subject.source.metadata);
  }
  subject.config = config_from_metadata(subject.source.metadata);
  const auto& tensors = subject.source.tensors();
  check_tensors(tensors, subject.config, path.string());
  for (const TensorInfo& tensor : tensors.tensors()) {
    const TensorPlace place = *place_from_gguf_name(tensor.name);
    if (place == TensorPlace{Role::kTokenEmbd})
      subject.vocab_size = static_cast<int64_t>(tensor.shape.rows());
    if (is_multiplied(place) && block_weights(tensor.type) > 1) subject.is_quantized = true;
  }
  return subject;
}

double largest_loss(const RecommendOptions& options) {
  if (options.max_loss > 0) return options.max_loss;
  std::string known;
  for (const RecommendUse& use : kRecommendUses) {
    if (use.name == options.use) return use.largest_loss;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", use.name);
  }
  fail(ErrorCode::kUsage, "unknown use \"{}\"; there are {}", options.use, known);
}

uint64_t ram_for(const RecommendOptions& options) {
  const uint64_t ram = options.ram > 0 ? options.ram : available_memory();
  if (ram == 0)
    fail(ErrorCode::kUsage, "this system does not say how much memory it has; give --ram");
  return ram;
}

// Floats only in the type that the source has.
std::vector<std::string> types_for(const Subject& subject, const RecommendOptions& options) {
  if (subject.is_quantized && std::ranges::any_of(options.types, std::not_fn(is_copy_type))) {
    fail(ErrorCode::kUnsupported,
         "{}: is quantized already; give the original model for other types, or no type for the "
         "model as it is",
         subject.source.path.string());
  }
  if (!options.types.empty()) return options.types;
  if (subject.is_quantized) return {std::string(kCopyType)};
  const auto& tensors = subject.source.tensors().tensors();
  const bool is_bf16 = std::ranges::any_of(
      tensors, [](const TensorInfo& tensor) { return dtype_name(tensor.type) == "bf16"; });
  std::vector<std::string> types;
  for (const std::string_view type : types_with_known_loss()) {
    if (type != "f32" && type != (is_bf16 ? "f16" : "bf16")) types.emplace_back(type);
  }
  return types;
}

// What a file's own recipe is called; "copy" has it in its metadata.
std::string recipe_of(const PlannedOutput& plan) {
  if (!plan.recipe.empty()) return plan.recipe;
  const auto number = plan.metadata.find_uint("general.file_type");
  const auto* recipe = number ? find_builtin_recipe(std::to_string(*number)) : nullptr;
  return recipe == nullptr ? "" : std::string(recipe->name);
}

Output plan_type(const Subject& subject, const std::string& type) {
  Output output;
  output.plan = plan_output(subject.source, type, {});
  add_lock_record(subject.source, {}, {}, output.plan);
  output.file = report_output({type, type + ".gguf"}, output.plan, {});
  output.loss = expected_type_loss(recipe_of(output.plan), output.file.bits_per_weight);
  return output;
}

bool cache_is_possible(const ModelConfig& config, KvTypes types) {
  return config.head_dim % std::max(block_weights(types.key), block_weights(types.value)) == 0;
}

RecommendCandidate candidate_of(const Subject& subject, const Output& output, KvTypes kv_types,
                                const Recommendation& report, int threads, uint64_t program_bytes) {
  RecommendCandidate candidate;
  candidate.type = output.plan.type;
  candidate.kv_type = kv_types_name(kv_types);
  candidate.file_bytes = output.file.bytes;
  candidate.bits_per_weight = output.file.bits_per_weight;
  candidate.memory = predict_memory(subject.config, output.plan.tensors, report.context, kv_types,
                                    threads, program_bytes);
  const ExpectedLoss of_cache = expected_kv_loss(kv_types);
  candidate.loss = {output.loss.loss.kl + of_cache.kl,
                    fmt::format("{}; KV cache: {}", output.loss.loss.source, of_cache.source)};
  candidate.wants_importance = output.loss.wants_importance;
  candidate.fits = candidate.memory.peak <= report.ram;
  if (report.vram > 0) {
    const GpuSplit split = split_for_gpu(subject.config, output.plan.tensors, report.vram,
                                         kv_cache_bytes(subject.config, report.context, kv_types));
    candidate.gpu_layers = split.layers;
    candidate.fits_with_gpu = split.layers > 0 && candidate.memory.peak - split.bytes <= report.ram;
  }
  return candidate;
}

void measure(const Subject& subject, const std::vector<Output>& outputs, ThreadPool& pool,
             const RunOptions& run, Recommendation& report) {
  const MachineLimits limits = measure_limits(pool);
  report.limits = {pool.count(), limits.read_bytes_per_second, limits.integer_products_per_second,
                   limits.float_products_per_second};
  SpeedModel speed(subject.config, subject.vocab_size, pool);
  Phase phase(run, "measuring", "candidates", report.candidates.size());
  for (RecommendCandidate& candidate : report.candidates) {
    phase.advance(1);
    if (!candidate.fits) continue;
    const auto output = std::ranges::find(outputs, candidate.type,
                                          [](const Output& each) { return each.plan.type; });
    const auto& tensors = output->plan.tensors;
    const KvTypes kv_types = kv_types_from_name(candidate.kv_type);
    const int64_t prompt = std::min<int64_t>(512, report.context);
    candidate.speed = {1 / speed.generation_seconds(tensors, kv_types, 0),
                       1 / speed.generation_seconds(tensors, kv_types, report.context),
                       static_cast<double>(prompt) / speed.prompt_seconds(tensors, prompt)};
  }
}

void check_options(const RecommendOptions& options) {
  if (options.max_loss < 0 || options.min_speed < 0)
    fail(ErrorCode::kUsage, "a loss or a speed below 0 is not possible");
  if (options.min_speed > 0 && !options.measure)
    fail(ErrorCode::kUsage, "a least speed needs speeds to be measured");
}

Recommendation describe(const Subject& subject, const RecommendOptions& options) {
  Recommendation report;
  report.machine = this_machine();
  report.model = subject.source.path.string();
  report.architecture = subject.config.arch->name;
  report.layers = subject.config.layers;
  for (const TensorInfo& tensor : subject.source.tensors().tensors())
    report.weights += tensor.shape.count();
  report.ram = ram_for(options);
  report.vram = options.vram;
  report.context =
      context_to_use(options.context, subject.config.context_length, subject.source.path.string());
  report.max_loss = largest_loss(options);
  return report;
}

void add_notes(const Subject& subject, Recommendation& report) {
  if (subject.source.outline != nullptr) {
    report.notes.push_back("there are no weights beside the config: sizes are by its shapes");
    if (!subject.source.metadata.contains("tokenizer.ggml.tokens"))
      report.notes.push_back("without a tokenizer that is known, files are some MB larger");
  }
  if (subject.is_quantized)
    report.notes.push_back(
        "the model is quantized already: other types are made from the original");
  if (report.candidates[report.best].wants_importance)
    report.notes.push_back("the expected loss is that with an importance matrix (--imatrix)");
}

}  // namespace

Recommendation recommend(const std::filesystem::path& model, const RecommendOptions& options) {
  const uint64_t program_bytes = program_memory_bytes();
  check_options(options);
  const Subject subject = open_subject(model);
  Recommendation report = describe(subject, options);
  ThreadPool pool(options.run.threads);
  std::vector<Output> outputs;
  for (const std::string& type : types_for(subject, options))
    outputs.push_back(plan_type(subject, type));
  std::ranges::stable_sort(outputs, std::ranges::greater(),
                           [](const Output& output) { return output.file.bytes; });
  for (const Output& output : outputs) {
    for (const std::string_view name : kRecommendedKvTypes) {
      const KvTypes kv_types = kv_types_from_name(name);
      if (!cache_is_possible(subject.config, kv_types)) continue;
      report.candidates.push_back(
          candidate_of(subject, output, kv_types, report, pool.count(), program_bytes));
    }
  }
  check_that_something_fits(report);
  if (options.measure) measure(subject, outputs, pool, options.run, report);
  choose(options, report);
  add_notes(subject, report);
  report.commands = commands_for(report, subject.source.is_checkpoint());
  return report;
}

}  // namespace nibble
