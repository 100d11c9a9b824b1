// nibble evaluate MODEL -f TEXT [--reference REF] [--context N] [--windows N]
// nibble evaluate MODEL --tasks KIND=FILE,... [--reference MODEL]
#include "nibble/evaluate.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "cli/commands.h"
#include "cli/decide.h"
#include "cli/layers.h"
#include "cli/tasks.h"
#include "cli/terminal.h"
#include "nibble/conformance.h"
#include "nibble/readable.h"

namespace nibble::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  CommonOptions common;
  std::filesystem::path model;
  std::filesystem::path text;
  LoadOptions load;
  EvaluateOptions evaluate;
  // llama-perplexity's: read with --kl-divergence, written without.
  std::filesystem::path kl_divergence_base;
  bool kl_divergence = false;
  std::filesystem::path layers;   // a reference to be compared with layer by layer
  std::filesystem::path against;  // a model to decide between
  std::string within;             // what --decide says; empty: nothing is to be decided
  TaskArguments tasks;
};

// Of Percentiles::kLevels.
constexpr std::array<std::string_view, 13> kLevelNames = {
    "max", "p99_9", "p99", "p95", "p90", "p75", "median", "p25", "p10", "p5", "p1", "p0_1", "min"};
static_assert(kLevelNames.size() == Percentiles::kLevels.size());

Json to_json(const Estimate& estimate) {
  return {{"mean", estimate.value},
          {"error", estimate.error},
          {"low", estimate.low},
          {"high", estimate.high}};
}

void add_percentiles(Json& json, const Percentiles& percentiles) {
  for (size_t i = 0; i < kLevelNames.size(); ++i)
    json[std::string(kLevelNames[i])] = percentiles.values[i];
}

// With names like ratio, ratio_error, ratio_low, ratio_high.
void add_estimate(Json& json, const std::string& name, const Estimate& estimate) {
  json[name] = estimate.value;
  json[name + "_error"] = estimate.error;
  json[name + "_low"] = estimate.low;
  json[name + "_high"] = estimate.high;
}

void add_divergence(Json& json, const Divergence& divergence) {
  Json& perplexity = json["perplexity"];
  add_estimate(perplexity, "reference", divergence.reference_perplexity);
  add_estimate(perplexity, "ratio", divergence.ratio);
  add_estimate(perplexity, "log_ratio", divergence.log_ratio);
  add_estimate(perplexity, "difference", divergence.difference);
  perplexity["correlation"] = divergence.correlation;
  json["kl_divergence"] = to_json(divergence.kl_divergence);
  if (const auto& sampling = divergence.kl_sampling) {
    json["kl_divergence"]["sampling"] = {
        {"least", sampling->least}, {"low", sampling->low}, {"high", sampling->high}};
  }
  add_percentiles(json["kl_divergence"], divergence.kl_percentiles);
  json["delta_p"] = to_json(divergence.delta_p);
  add_estimate(json["delta_p"], "rms", divergence.rms_delta_p);
  add_percentiles(json["delta_p"], divergence.delta_p_percentiles);
  json["agreement"] = to_json(divergence.agreement);
}

void print_json(const Options& options, const Model& model, const Evaluation& result,
                const std::vector<std::string>& problems) {
  Json json = {{"model", options.model.string()}};
  if (!options.text.empty()) json["text"] = options.text.string();
  if (!options.evaluate.reference.empty()) json["reference"] = options.evaluate.reference.string();
  json["perplexity"] = to_json(result.perplexity);
  json["perplexity"]["nll"] = result.nll;
  if (result.divergence) add_divergence(json, *result.divergence);
  json["activations"] = options.load.activations == Activations::kNibble ? "nibble" : "llama.cpp";
  json["context"] = result.context;
  json["windows"] = result.windows;
  json["scored_tokens"] = result.scored_tokens;
  json["seconds"] = result.seconds;
  json["tokens_per_second"] = static_cast<double>(result.processed_tokens) / result.seconds;
  json["load_seconds"] = model.load_seconds();
  json["peak_memory_bytes"] = peak_memory_bytes();
  json["conformance_problems"] = problems;
  show_json(json);
}

// A line of the table; `digits` behind the point.
void print_row(std::string_view name, const Estimate& estimate, int digits, double unit = 1,
               std::string_view unit_name = "") {
  fmt::print("{:<26}{:>12.{}f} +- {:<10.{}f}", name, unit * estimate.value, digits,
             unit * estimate.error, digits);
  if (estimate.low <= estimate.high) {
    fmt::print(" {:.{}f} to {:.{}f}", unit * estimate.low, digits, unit * estimate.high, digits);
  }
  fmt::print("{}{}\n", unit_name.empty() ? "" : " ", unit_name);
}

void print_percentiles(std::string_view name, const Percentiles& percentiles, int digits,
                       double unit = 1) {
  constexpr std::array<std::pair<std::string_view, size_t>, 9> kShown = {{{"min", 12},
                                                                          {"1 %", 10},
                                                                          {"5 %", 9},
                                                                          {"10 %", 8},
                                                                          {"median", 6},
                                                                          {"90 %", 4},
                                                                          {"95 %", 3},
                                                                          {"99 %", 2},
                                                                          {"max", 0}}};
  fmt::print("{:<18}", name);
  for (const auto& [label, index] : kShown) fmt::print(" {:>10}", label);
  fmt::print("\n{:<18}", "");
  for (const auto& [label, index] : kShown)
    fmt::print(" {:>10.{}f}", unit * percentiles.values[index], digits);
  fmt::print("\n");
}

void print_divergence(const Evaluation& result) {
  constexpr double kPercent = 100;
  const Divergence& divergence = *result.divergence;
  fmt::print("\n{:<26}{:>12} {:<13} {}\n", "", "value", "   error", "95 % interval, by windows");
  print_row("perplexity", result.perplexity, 4);
  print_row("  of the reference", divergence.reference_perplexity, 4);
  print_row("  ratio", divergence.ratio, 6);
  print_row("  ln of the ratio", divergence.log_ratio, 6);
  print_row("  difference", divergence.difference, 5);
  fmt::print("{:<26}{:>12.2f} %\n", "  correlation of ln p", kPercent * divergence.correlation);
  print_row("KL divergence, nats", divergence.kl_divergence, 6);
  if (const auto& sampling = divergence.kl_sampling) {
    fmt::print("  by the exact reference: at least {:.6f} (proven), {:.6f} to {:.6f} (95 %)\n",
               sampling->least, sampling->low, sampling->high);
  }
  print_row("same likeliest token, %", divergence.agreement, 3, kPercent);
  print_row("change of p, %", divergence.delta_p, 3, kPercent);
  print_row("  root mean square, %", divergence.rms_delta_p, 3, kPercent);
  fmt::print("\n");
  print_percentiles("KL divergence", divergence.kl_percentiles, 6);
  print_percentiles("change of p, %", divergence.delta_p_percentiles, 3, kPercent);
}

// Names of llama-perplexity, in our terms.
void translate(Options& options) {
  if (options.kl_divergence_base.empty()) {
    if (options.kl_divergence)
      throw CLI::ValidationError("--kl-divergence needs --kl-divergence-base FILE");
    return;
  }
  auto& path = options.kl_divergence ? options.evaluate.reference : options.evaluate.save_reference;
  if (!path.empty()) {
    throw CLI::ValidationError(
        "--kl-divergence-base is one reference too many; it stands for --reference with "
        "--kl-divergence, for --save-reference without");
  }
  path = options.kl_divergence_base;
  options.evaluate.reference_format = ReferenceFormat::kStock;
}

void show_layers(const Options& options, const Model& model,
                 const std::optional<std::string>& text) {
  if (!text || !options.evaluate.reference.empty() || !options.evaluate.save_reference.empty() ||
      options.evaluate.stride != 0) {
    throw CLI::ValidationError(
        "--layers REF needs -f TEXT, and goes without --reference, --save-reference and --stride");
  }
  LayerOptions layers;
  if (options.evaluate.context != 0) layers.context = options.evaluate.context;
  if (options.evaluate.windows != 0) layers.windows = options.evaluate.windows;
  evaluate_layers(model, options.layers, *text, layers, options.load, options.common.json);
}

void show_decision(const Options& options, const Model& model,
                   const std::optional<std::string>& text) {
  if (!text || !options.layers.empty() || !options.evaluate.reference.empty() ||
      !options.evaluate.save_reference.empty() || options.evaluate.stride != 0) {
    throw CLI::ValidationError(
        "--against MODEL needs -f TEXT, and goes without --reference, --save-reference, --layers "
        "and --stride");
  }
  DecideOptions decide;
  if (options.evaluate.context != 0) decide.context = options.evaluate.context;
  decide.windows = options.evaluate.windows;
  decide.kv_type = options.evaluate.kv_type;
  decide_between(model, options.against, *text, decide, options.within, options.load,
                 options.common.json);
}

void show_task_decisions(const Options& options) {
  if (!options.evaluate.reference.empty() || !options.tasks.items.empty())
    throw CLI::ValidationError("--against with --tasks goes without --reference and --items");
  const auto tasks = read_tasks(options.tasks);
  const Model model(options.model, options.load);
  TaskDecideOptions decide;
  decide.kv_type = options.tasks.kv_type;
  decide_tasks_between(model, options.against, tasks, decide, options.within, options.load,
                       options.common.json);
}

void run(Options& options) {
  if (options.against.empty() != options.within.empty())
    throw CLI::ValidationError("--against MODEL and --decide SHARE go together");
  if (!options.within.empty()) parse_share(options.within);
  if (!options.tasks.tasks.empty()) {
    options.tasks.options.context = options.evaluate.context;
    options.tasks.kv_type = options.evaluate.kv_type;
    options.load.run = options.common.run();
    if (!options.against.empty()) return show_task_decisions(options);
    run_tasks(options.tasks, options.model, options.evaluate.reference, options.load,
              options.common.json);
    return;
  }
  translate(options);
  std::optional<std::string> text;
  if (!options.text.empty()) text = read_text(options.text);
  if (!text && options.evaluate.reference.empty())
    throw CLI::ValidationError(
        "-f TEXT or --tasks LIST is missing; only a stored reference brings its own text");
  options.load.run = options.common.run();
  const Model model(options.model, options.load);
  const auto problems = show_warnings(options.model, conformance_problems(model));
  if (!options.against.empty()) return show_decision(options, model, text);
  if (!options.layers.empty()) return show_layers(options, model, text);
  const Evaluation result = evaluate(model, text, options.evaluate, options.load.run);
  if (options.common.json) {
    print_json(options, model, result, problems);
    return;
  }
  fmt::print("perplexity {:.4f} +- {:.4f}  ({} windows of {}, {} tokens scored)\n",
             result.perplexity.value, result.perplexity.error, result.windows, result.context,
             result.scored_tokens);
  if (result.divergence) print_divergence(result);
  std::fflush(stdout);
  fmt::print(stderr, "{:.1f} tokens/s, {:.2f} s, peak memory {}\n",
             static_cast<double>(result.processed_tokens) / result.seconds, result.seconds,
             readable_bytes(peak_memory_bytes()));
}

void add_reference_options(CLI::App& command, Options& options) {
  command
      .add_option("--reference", options.evaluate.reference,
                  "compare with this: another model, or a stored reference")
      ->type_name("REF");
  command
      .add_option("--save-reference", options.evaluate.save_reference,
                  "store this model's predictions, as a reference for others")
      ->type_name("FILE");
  command
      .add_option("--reference-format", options.evaluate.reference_format,
                  "of what is stored: compact (default), or stock, as llama-perplexity has it")
      ->transform(CLI::CheckedTransformer(std::map<std::string, ReferenceFormat>{
          {"compact", ReferenceFormat::kCompact}, {"stock", ReferenceFormat::kStock}}))
      ->type_name("FORMAT");
  command
      .add_option("--kl-divergence-base", options.kl_divergence_base,
                  "as in llama-perplexity: --save-reference; with --kl-divergence, --reference")
      ->type_name("FILE");
  command
      .add_option("--layers", options.layers,
                  "show where the loss comes from: errors of layers and tensors beside this model")
      ->type_name("REF");
  command
      .add_option("--against", options.against,
                  "decide which of the two is better, reading no more of the text than it takes")
      ->type_name("MODEL");
  command
      .add_option("--decide", options.within,
                  "with --against: what differs by less is equal, as 0.5%")
      ->type_name("SHARE");
  command.add_flag("--kl-divergence", options.kl_divergence, "see --kl-divergence-base");
}

}  // namespace

void add_evaluate(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("evaluate", "measure a model on a text, alone or beside a reference");
  show_usage(
      *command,
      "Example:  nibble evaluate model-q4_k_m.gguf -f wiki.test.raw --reference model-f16\n\n"
      "          nibble evaluate model-q4_k_m.gguf --tasks hellaswag=val.jsonl --reference "
      "model-f16\n\n"
      "Usage:    nibble evaluate MODEL -f TEXT [OPTIONS]\n"
      "          nibble evaluate MODEL --tasks LIST [OPTIONS]");
  add_model_option(*command, options->model);
  auto* text = command
                   ->add_option("-f,--file", options->text,
                                "the text, UTF-8 (default: that of the stored reference)")
                   ->type_name("FILE");
  add_reference_options(*command, *options);
  add_load_options(*command, options->load);
  command
      ->add_option("-c,--context,--ctx-size", options->evaluate.context,
                   "tokens in a window (default: 512, or the stored reference's)")
      ->type_name("N");
  command
      ->add_option("--windows,--chunks", options->evaluate.windows,
                   "evaluate the first N windows only (default: all)")
      ->type_name("N");
  command
      ->add_option("--stride,--ppl-stride", options->evaluate.stride,
                   "windows begin every N tokens and overlap (default: side by side)")
      ->type_name("N");
  add_kv_options(*command, options->evaluate.kv_type);
  command
      ->add_option("--activations", options->load.activations,
                   "how activations are rounded to 8 bits: nibble (default), or llama.cpp, for its "
                   "figures")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Activations>{
          {"nibble", Activations::kNibble}, {"llama.cpp", Activations::kLlamaCpp}}))
      ->type_name("RULE");
  options->tasks.add_to(*command)->excludes(text);
  options->common.add_to(*command);
  command->callback([options] { run(*options); });
}

}  // namespace nibble::cli
