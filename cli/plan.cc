// nibble plan MODEL --size SIZE | --fit SIZE | --max-kl NATS ... --calibration TEXT [-o RECIPE]
#include "nibble/plan.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/goal_options.h"
#include "cli/quantize_options.h"
#include "cli/terminal.h"
#include "nibble/readable.h"
#include "nibble/text_file.h"

namespace nibble::cli {
namespace {

struct Options {
  CommonOptions common;
  std::filesystem::path model;
  std::filesystem::path recipe;
  QuantizeSettings quantize;
  GoalOptions goal;
};

void print(const Options& options, const TypePlan& plan) {
  fmt::print("{}, {:.2f} bits per weight, expected KL divergence {:.3g}{}\n",
             readable_bytes(plan.file_bytes), plan.bits_per_weight, plan.predicted_kl,
             plan.predicted_speed ? fmt::format(", {:.3g} tokens/s", *plan.predicted_speed) : "");
  print_plan(plan);
  for (const std::string& note : plan.notes) fmt::print("note: {}\n", note);
  if (options.recipe.empty()) {
    fmt::print("\n{}", plan.recipe);
  } else {
    fmt::print("{}: the recipe, for nibble quantize -t\n", options.recipe.string());
  }
}

void run(Options& options) {
  options.quantize.options.run = options.common.run();
  options.quantize.read();
  if (!options.goal.is_set()) throw CLI::RequiredError("a goal (--size, --max-kl, ...)");
  const TypePlan plan =
      plan_types(options.model, options.goal.plan_options(options.quantize.options));
  end_progress();
  if (!options.recipe.empty()) write_text_file(options.recipe, plan.recipe);
  options.common.json ? show_json(to_json(plan)) : print(options, plan);
}

}  // namespace

void add_plan(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "plan", "choose a type for each tensor, by size, memory, speed or what may be lost");
  show_usage(*command,
             "Example:  nibble plan models/llama --size 4.1GB --calibration text.txt -o my.recipe\n"
             "          nibble quantize models/llama -t my.recipe\n\n"
             "Usage:    nibble plan MODEL GOAL --calibration TEXT... [-o RECIPE] [OPTIONS]");
  add_model_option(*command, options->model);
  command->add_option("-o,--output", options->recipe, "write the recipe there (default: print it)")
      ->type_name("RECIPE");
  options->goal.add_to(*command);
  options->quantize.add_method_to(*command);
  add_importance_options(*command, options->quantize.options);
  add_type_options(*command, options->quantize.options);
  options->common.add_to(*command);
  command->callback([options] { run(*options); });
}

}  // namespace nibble::cli
