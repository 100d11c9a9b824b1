// nibble::compare: every model measured in the same way, first its speed, alone, then what it says
// beside the reference.
#include "nibble/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/input_file.h"
#include "base/output_file.h"
#include "base/sha256.h"
#include "flow/model.h"
#include "flow/model_fingerprint.h"
#include "flow/model_source.h"
#include "nibble/bench.h"
#include "nibble/evaluate.h"
#include "nibble/generate.h"
#include "nibble/inspect.h"
#include "nibble/tasks.h"
#include "nibble/text_file.h"
#include "report/comparison_json.h"
#include "report/html.h"
#include "report/tables.h"

namespace nibble {
namespace {

constexpr int64_t kLongestContext = 512;
constexpr int64_t kGenerated = 64;
constexpr size_t kPrompts = 3;
constexpr size_t kPromptWords = 8;

std::string name_of(const std::filesystem::path& path) {
  const auto file = path.filename().empty() ? path.parent_path().filename() : path.filename();
  return file.extension() == ".gguf" || file.extension() == ".safetensors" ? file.stem().string()
                                                                           : file.string();
}

// What can be said of a model without running it.
ComparedModel describe(const std::filesystem::path& path) {
  ComparedModel model;
  const Inspection inspection = inspect(path);
  model.name = name_of(path);
  model.path = path;
  model.fingerprint = model_fingerprint(open_model(path).files());
  model.bytes = inspection.file_bytes;
  model.weights = inspection.weights;
  model.bits_per_weight = inspection.bits_per_weight;
  std::map<DType, uint64_t> weights;
  for (const TensorRow& tensor : inspection.tensors)
    weights[tensor.type] += tensor.bytes / block_bytes(tensor.type) * block_weights(tensor.type);
  const auto most =
      std::ranges::max_element(weights, {}, [](const auto& row) { return row.second; });
  if (most != weights.end()) model.type = dtype_name(most->first);
  return model;
}

// Models of one name are told apart by their folders.
void make_names_unique(std::vector<ComparedModel>& models) {
  std::map<std::string, int> count;
  for (const ComparedModel& model : models) ++count[model.name];
  for (ComparedModel& model : models)
    if (count[model.name] > 1) model.name = model.path.string();
}

// The words after the first space at or behind `at`.
std::string words_from(std::string_view text, size_t at) {
  const auto is_space = [&](size_t i) { return text[i] == ' ' || text[i] == '\n'; };
  while (at > 0 && at < text.size() && !is_space(at)) ++at;
  while (at < text.size() && is_space(at)) ++at;
  size_t end = at;
  for (size_t words = 0; end < text.size() && words < kPromptWords; ++words) {
    if (words > 0) ++end;  // the space
    while (end < text.size() && !is_space(end)) ++end;
  }
  return std::string(text.substr(at, end - at));
}

std::vector<std::string> prompts_from(std::string_view text) {
  std::vector<std::string> prompts;
  for (size_t i = 0; i < kPrompts; ++i) {
    std::string words = words_from(text, text.size() / kPrompts * i);
    if (!words.empty()) prompts.push_back(std::move(words));
  }
  return prompts;
}

// How far the continuations are the same, in whole characters of UTF-8.
Continuation beside(const Model& model, const GenerateResult& result,
                    const GenerateResult& reference) {
  const auto [ours, theirs] = std::mismatch(result.tokens.begin(), result.tokens.end(),
                                            reference.tokens.begin(), reference.tokens.end());
  Continuation c;
  c.same_tokens = ours - result.tokens.begin();
  const std::string text = model.detokenize(result.tokens);
  const auto length_of = [&](int64_t tokens) {
    const auto end = result.tokens.begin() + tokens;
    size_t length = std::min(model.detokenize({result.tokens.begin(), end}).size(), text.size());
    while (length > 0 && length < text.size() && (text[length] & 0xc0) == 0x80) --length;
    return length;
  };
  const size_t same = length_of(c.same_tokens);
  c.same = text.substr(0, same);
  if (ours == result.tokens.end()) {
    if (theirs != reference.tokens.end()) c.differing = "(the end)";
    return c;
  }
  const size_t differing = std::max(same, length_of(c.same_tokens + 1));
  c.differing = text.substr(same, differing - same);
  c.rest = text.substr(differing);
  return c;
}

class Comparing {
 public:
  explicit Comparing(const CompareOptions& options) : options_(options) {
    TaskOptions task_options;
    for (const std::string& task : options.tasks) tasks_.emplace_back(task, task_options);
  }

  Comparison run(std::span<const std::filesystem::path> models) {
    for (const auto& path : models) comparison_.models.push_back(describe(path));
    comparison_.reference = describe(options_.reference);
    make_names_unique(comparison_.models);
    std::ranges::stable_sort(comparison_.models, {}, &ComparedModel::bytes);
    begin();
    take_over_earlier();
    measure_speed();
    measure_quality();
    return std::move(comparison_);
  }

 private:
  // What is the same for all of them.
  void begin() {
    comparison_.version = NIBBLE_VERSION;
    comparison_.machine = this_machine();
    comparison_.threads =
        options_.run.threads > 0 ? options_.run.threads : comparison_.machine.cpus;
    comparison_.text_name = options_.text_name;
    comparison_.text_sha256 = hex(sha256(bytes_of(options_.text)));
    trained_context_ = static_cast<int64_t>(
        config_from_metadata(open_model(options_.reference).metadata).context_length);
    comparison_.context =
        options_.context > 0 ? options_.context : std::min(kLongestContext, trained_context_);
    if (options_.continued_tokens > 0)
      comparison_.prompts =
          options_.prompts.empty() ? prompts_from(options_.text) : options_.prompts;
    comparison_.protocol = protocol();
  }

  // Everything that a figure depends on besides the model itself.
  std::string protocol() const {
    std::string all = fmt::format(
        "{} {} {} {}\n{} {} {} {} {} {}\n{}\n", comparison_.version, comparison_.machine.cpu,
        comparison_.machine.isa, comparison_.threads, comparison_.text_sha256, comparison_.context,
        options_.windows, options_.layer_windows, options_.continued_tokens, options_.repetitions,
        comparison_.reference.fingerprint);
    for (const std::string& prompt : comparison_.prompts) all += prompt + "\n";
    for (const std::string& task : options_.tasks) {
      const size_t equals = task.find('=');
      all += task + "\n";
      if (equals != std::string::npos)
        all += hex(sha256(bytes_of(read_text_file(task.substr(equals + 1)))));
    }
    return hex(sha256(bytes_of(all)));
  }

  // Figures of models that were measured before keep their place; the others have no perplexity
  // yet.
  void take_over_earlier() {
    if (options_.earlier.empty() || is_missing(options_.earlier)) return;
    const Comparison earlier =
        parse_comparison(read_text_file(options_.earlier), options_.earlier.string());
    if (earlier.protocol != comparison_.protocol) return;
    const auto take_over = [&](ComparedModel& model, const ComparedModel& old) {
      if (model.fingerprint != old.fingerprint) return;
      const ComparedModel now = std::exchange(model, old);
      model.name = now.name;
      model.path = now.path;
    };
    take_over(comparison_.reference, earlier.reference);
    for (ComparedModel& model : comparison_.models) {
      for (const ComparedModel& old : earlier.models) take_over(model, old);
    }
    comparison_.windows = earlier.windows;
    comparison_.scored_tokens = earlier.scored_tokens;
  }

  static bool is_measured(const ComparedModel& model) { return model.perplexity.value > 0; }

  // Each model alone in memory.
  void measure_speed() {
    if (options_.repetitions == 0) return;
    BenchOptions bench_options;
    bench_options.load.run = options_.run;
    bench_options.threads = {comparison_.threads};
    bench_options.prompts = {std::min(kLongestContext, trained_context_ / 2)};
    bench_options.generated = {std::min(kGenerated, trained_context_ / 2)};
    bench_options.repetitions = options_.repetitions;
    bench_options.limits = false;
    for (ComparedModel* model : unmeasured()) {
      const std::array path = {model->path};
      const BenchReport report = bench(path, bench_options);
      const BenchResult &prompt = report.results.front(), &generation = report.results.back();
      model->speed = {prompt.median, generation.median,
                      std::max(prompt.peak_memory_bytes, generation.peak_memory_bytes),
                      prompt.prompt, generation.generated};
    }
  }

  std::vector<ComparedModel*> unmeasured() {
    std::vector<ComparedModel*> models;
    if (!is_measured(comparison_.reference)) models.push_back(&comparison_.reference);
    for (ComparedModel& model : comparison_.models)
      if (!is_measured(model)) models.push_back(&model);
    return models;
  }

  void measure_quality() {
    if (unmeasured().empty()) return;
    LoadOptions load;
    load.run = options_.run;
    const Model reference(options_.reference, load);
    told_ = continuations_of(reference);
    answers_ = answers_of(reference);
    if (!is_measured(comparison_.reference)) {
      measure_reference(reference);
      tell_so_far();
    }
    for (ComparedModel& model : comparison_.models) {
      if (is_measured(model)) continue;
      measure(model, Model(model.path, load), reference);
      tell_so_far();
    }
  }

  void tell_so_far() const {
    if (!options_.on_measured) return;
    Comparison so_far = comparison_;
    std::erase_if(so_far.models, std::not_fn(is_measured));
    options_.on_measured(so_far);
  }

  void measure_reference(const Model& reference) {
    const Evaluation evaluation =
        evaluate(reference, options_.text, evaluate_options(nullptr), options_.run);
    comparison_.reference.perplexity = evaluation.perplexity;
    comparison_.windows = evaluation.windows;
    comparison_.scored_tokens = evaluation.scored_tokens;
    for (const GenerateResult& result : told_)
      comparison_.reference.continuations.push_back(beside(reference, result, result));
    add_tasks(comparison_.reference, answers_);
  }

  void measure(ComparedModel& compared, const Model& model, const Model& reference) {
    if (options_.layer_windows > 0) {
      compared.layers = compare_layers(model, reference, options_.text,
                                       {comparison_.context, options_.layer_windows}, options_.run);
    }
    const auto told = continuations_of(model);
    for (size_t i = 0; i < told.size(); ++i)
      compared.continuations.push_back(beside(model, told[i], told_[i]));
    add_tasks(compared, answers_of(model));
    const Evaluation evaluation =
        evaluate(model, options_.text, evaluate_options(&reference), options_.run);
    compared.divergence = evaluation.divergence;
    compared.perplexity = evaluation.perplexity;
  }

  EvaluateOptions evaluate_options(const Model* reference) const {
    EvaluateOptions options;
    options.context = comparison_.context;
    options.windows = options_.windows;
    options.reference_model = reference;
    return options;
  }

  std::vector<GenerateResult> continuations_of(const Model& model) const {
    GenerateOptions options;
    options.max_tokens = options_.continued_tokens;
    options.temperature = 0;
    options.cancelled = options_.run.cancelled;
    std::vector<GenerateResult> results;
    for (const std::string& prompt : comparison_.prompts)
      results.push_back(generate(model, prompt, options));
    return results;
  }

  std::vector<TaskResult> answers_of(const Model& model) const {
    std::vector<TaskResult> results;
    for (const Task& task : tasks_)
      results.push_back(evaluate_task(model, task, "f16", options_.run));
    return results;
  }

  void add_tasks(ComparedModel& model, const std::vector<TaskResult>& answers) const {
    for (size_t i = 0; i < answers.size(); ++i) {
      const TaskScore& score = answers[i].scores.front();
      model.tasks.push_back({answers[i].name, score.name, score.mean, score.error.value_or(0),
                             score.items,
                             compare_tasks(answers[i], answers_[i]).front().agreement});
    }
  }

  const CompareOptions& options_;
  std::vector<Task> tasks_;
  Comparison comparison_;
  int64_t trained_context_ = 0;
  std::vector<GenerateResult> told_;  // the reference's
  std::vector<TaskResult> answers_;   // likewise
};

const CompareFormat& format_of(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  for (const CompareFormat& format : compare_formats())
    if (extension == fmt::format(".{}", format.name)) return format;
  fail(ErrorCode::kUsage, "{}: reports are .html, .md, .csv or .json files", path.string());
}

}  // namespace

Comparison compare(std::span<const std::filesystem::path> models, const CompareOptions& options) {
  if (models.empty() || options.reference.empty())
    fail(ErrorCode::kUsage, "name at least one model and the reference that it is compared with");
  if (options.continued_tokens < 0 || options.layer_windows < 0 || options.repetitions < 0) {
    fail(ErrorCode::kUsage, "{} tokens, {} windows and {} repetitions make no sense",
         options.continued_tokens, options.layer_windows, options.repetitions);
  }
  return Comparing(options).run(models);
}

std::span<const CompareFormat> compare_formats() {
  static constexpr CompareFormat kFormats[] = {{"md", comparison_markdown},
                                               {"csv", comparison_csv},
                                               {"json", comparison_json},
                                               {"html", comparison_html}};
  return kFormats;
}

void check_report_path(const std::filesystem::path& path) {
  format_of(path);
  require_free_space(path, 0);
}

void write_report(const Comparison& comparison, const std::filesystem::path& path) {
  write_text_file(path, format_of(path).write(comparison));
}

}  // namespace nibble
