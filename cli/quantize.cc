// nibble quantize MODEL -t TYPE[,TYPE...] [-o OUT]
#include "nibble/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/classic_arguments.h"
#include "cli/commands.h"
#include "cli/goal_options.h"
#include "cli/quantize_options.h"
#include "cli/quantize_output.h"
#include "cli/terminal.h"
#include "nibble/error.h"
#include "nibble/readable.h"

namespace nibble::cli {
namespace {

struct Options {
  CommonOptions common;
  std::filesystem::path model;
  std::vector<std::string> classic;  // what follows MODEL in llama-quantize's order
  std::string types;
  std::filesystem::path output;
  QuantizeSettings quantize;
  GoalOptions goal;
};

// "models/lab-7m/" and "lab-7m-f16.gguf" are both lab-7m.
std::string base_name(const std::filesystem::path& model) {
  const auto whole = std::filesystem::weakly_canonical(model);
  std::error_code ignored;  // false then, and opening says why
  std::string name = std::filesystem::is_directory(whole, ignored) ? whole.filename().string()
                                                                   : whole.stem().string();
  for (const char* suffix : {"-f32", "-f16", "-bf16", "-F32", "-F16", "-BF16"}) {
    if (name.ends_with(suffix))
      return name.substr(0, name.size() - std::string_view(suffix).size());
  }
  return name;
}

std::string type_name(const std::string& type) {
  if (type.ends_with(".recipe")) return std::filesystem::path(type).stem().string();
  const bool is_number = type.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? find_quantize_type(type).value_or(type) : type;
}

std::vector<std::string> split_types(const std::string& list) {
  std::vector<std::string> types;
  for (size_t at = 0; at <= list.size();) {
    const size_t end = std::min(list.find(',', at), list.size());
    if (end > at) types.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return types;
}

// The folder that -o names, made when it is not there; one that nothing is written to goes again.
class OutputFolder {
 public:
  explicit OutputFolder(const std::filesystem::path& folder) {
    if (folder.empty()) return;
    std::error_code error;
    for (auto part = folder; !part.empty() && !std::filesystem::exists(part, error);
         part = part.parent_path()) {
      made_.push_back(part);
    }
    std::filesystem::create_directories(folder, error);
    if (error) {
      throw Error(ErrorCode::kIo,
                  fmt::format("{}: cannot be made a folder: {}; name a folder, or a file that ends "
                              "in .gguf",
                              folder.string(), error.message()));
    }
  }
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;
  ~OutputFolder() {
    std::error_code not_empty;
    for (const auto& folder : made_) std::filesystem::remove(folder, not_empty);
  }

 private:
  std::vector<std::filesystem::path> made_;  // the innermost first
};

// One type and -o FILE: that file. Otherwise -o is a folder (default: the current one), files are
// MODEL-TYPE.gguf.
std::vector<QuantizeTarget> targets_of(const Options& options) {
  const auto types = split_types(options.types);
  const bool is_file = options.output.extension() == ".gguf";
  if (is_file && types.size() > 1) {
    throw CLI::ValidationError("-o names one file, but there are " + std::to_string(types.size()) +
                               " types; name a folder");
  }
  std::vector<QuantizeTarget> targets;
  for (const std::string& type : types) {
    const auto file = base_name(options.model) + "-" + type_name(type) + ".gguf";
    targets.push_back({type, is_file ? options.output : options.output / file});
  }
  return targets;
}

void tell_unfinished(const Options& options, const std::vector<QuantizeTarget>& targets) {
  for (const auto& target : find_unfinished(options.model, targets, options.quantize.options)) {
    fmt::print(stderr, "{}: begins anew; --resume would go on with the unfinished work there\n",
               target.string());
  }
}

std::vector<QuantizeTarget> take_classic_arguments(Options& options) {
  auto classic = parse_classic_arguments(options.model, options.classic);
  if (classic.threads && options.common.threads != 0) {
    throw CLI::ValidationError(
        "the number of threads stands there twice: as the last argument and "
        "as --threads");
  }
  if (classic.threads) options.common.threads = *classic.threads;
  return {std::move(classic.target)};
}

void check_combinations(const Options& options) {
  if (options.goal.is_set()) {
    if (!options.types.empty() || !options.classic.empty())
      throw CLI::ValidationError("a goal chooses the types: it goes without -t");
    return;
  }
  if (options.types.empty() && options.classic.empty()) {
    throw CLI::RequiredError("a type (-t TYPE), or a goal (--size, --max-kl, ...)");
  }
  if (!options.classic.empty() && !(options.types.empty() && options.output.empty())) {
    throw CLI::ValidationError("\"" + options.classic[0] +
                               "\" after MODEL is an argument in llama-quantize's order, which has "
                               "neither -t nor -o");
  }
}

std::filesystem::path goal_target(const Options& options) {
  if (options.output.extension() == ".gguf") return options.output;
  return options.output / (base_name(options.model) + "-planned.gguf");
}

void run_to_goal(Options& options) {
  const QuantizeOptions& settings = options.quantize.options;
  if (settings.dry_run)
    throw CLI::ValidationError("--dry-run goes without a goal: see nibble plan");
  const auto target = goal_target(options);
  const OutputFolder folder(options.output.extension() == ".gguf" ? "" : options.output);
  const GoalResult result =
      quantize_to_goal(options.model, target, options.goal.plan_options(settings));
  end_progress();
  print_warnings(result.quantized);
  if (options.common.json) {
    nlohmann::ordered_json json = quantized_json(result.quantized, false);
    json["plan"] = to_json(result.plan);
    if (!result.attempts.empty()) {
      json["attempts"] = to_json(result.attempts, result.kept);
      json["held_back_tokens"] = result.held_back_tokens;
    }
    return show_json(json);
  }
  print_attempts(result);
  print_quantized(result.quantized, false);
  print_plan(result.plan);
}

void run(Options& options) {
  check_combinations(options);
  QuantizeOptions& settings = options.quantize.options;
  settings.run = options.common.run();
  options.quantize.read();
  if (options.goal.is_set()) return run_to_goal(options);
  const auto targets =
      options.classic.empty() ? targets_of(options) : take_classic_arguments(options);
  const bool needs_folder = !settings.dry_run && options.output.extension() != ".gguf";
  const OutputFolder folder(needs_folder ? options.output : std::filesystem::path());
  if (!settings.resume && !settings.dry_run) tell_unfinished(options, targets);
  const QuantizeResult result = quantize(options.model, targets, settings);
  print_warnings(result);
  if (options.common.json) {
    show_json(quantized_json(result, settings.dry_run));
  } else {
    print_quantized(result, settings.dry_run);
  }
}

void add_model_options(CLI::App& command, QuantizeOptions& options) {
  command.add_flag("--allow-requantize", options.allow_requantize,
                   "accept a model that is quantized already");
  command
      .add_option("--override-kv", options.override_keys,
                  "metadata of the model, e.g. llama.rope.freq_base=float:1e6; TYPE is int, float, "
                  "bool or str (repeatable)")
      ->allow_extra_args(false)
      ->type_name("KEY=TYPE:VALUE");
  command.add_flag(
      "!--no-conformance", options.conformance,
      "without the few KB of texts and prompts by which loading a file checks that its "
      "tokenizer and chat template do as the source's");
  command.add_flag("!--no-lock-record", options.lock_record,
                   "without the 80 bytes a tensor by which nibble verify can make the file again");
  command
      .add_option("--prune-layers", options.prune_layers,
                  "leave layers out and number the others anew")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("L[,L...]");
}

}  // namespace

void add_quantize(CLI::App& app) {
  auto options = std::make_shared<Options>();
  std::string types;
  for (const std::string& type : quantize_types()) types += (types.empty() ? "" : " ") + type;
  CLI::App* command =
      app.add_subcommand("quantize", "write a model as GGUF in one or more smaller types");
  show_usage(
      *command,
      "Example:  nibble quantize models/llama -t q4_k_m,q8_0 -o out\n"
      "          nibble quantize models/llama --size 4.1GB --calibration text.txt -o out.gguf\n\n"
      "Usage:    nibble quantize MODEL -t TYPE[,TYPE...] [-o OUT] [OPTIONS]\n"
      "          nibble quantize MODEL GOAL --calibration TEXT... [-o OUT] [OPTIONS]\n"
      "          nibble quantize [OPTIONS] IN.gguf [OUT.gguf] TYPE [THREADS]    as "
      "llama-quantize has it");
  command
      ->add_option("MODEL", options->model,
                   "Hugging Face directory, .gguf, or .safetensors with config.json beside it")
      ->required()
      ->type_name("");
  command
      ->add_option("-t,--type", options->types,
                   "types, separated by commas: " + types + ", or a .recipe file")
      ->type_name("TYPE[,TYPE...]");
  command
      ->add_option("-o,--output", options->output,
                   "a .gguf file for one type, or a folder (default: the current one)")
      ->type_name("OUT");
  command
      ->add_option("CLASSIC", options->classic, "[OUT.gguf] TYPE [THREADS], instead of -t and -o")
      ->type_name("");
  options->quantize.add_method_to(*command);
  options->goal.add_to(*command);
  add_importance_options(*command, options->quantize.options);
  add_type_options(*command, options->quantize.options);
  add_model_options(*command, options->quantize.options);
  command->add_flag("--keep-split", options->quantize.options.keep_split,
                    "split the output where a split GGUF is");
  command->add_flag("--resume", options->quantize.options.resume,
                    "go on with what an interrupted call of the same kind left");
  command->add_flag("--dry-run", options->quantize.options.dry_run,
                    "show sizes and types, write nothing");
  options->common.add_to(*command);
  command->callback([options] { run(*options); });
}

}  // namespace nibble::cli
