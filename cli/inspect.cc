// nibble inspect MODEL [--validate] [--json]; or of a file of statistics
#include "nibble/inspect.h"

#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/statistics.h"
#include "cli/terminal.h"
#include "nibble/readable.h"
#include "nibble/statistics.h"

namespace nibble::cli {
namespace {

struct Options {
  CommonOptions common;
  std::filesystem::path model;
  bool validate = false;
};

std::string shape_text(const std::vector<uint64_t>& shape) {
  return fmt::format("{}", fmt::join(shape, " x "));
}

nlohmann::ordered_json to_json(const Inspection& model, const std::filesystem::path& path) {
  nlohmann::ordered_json metadata = nlohmann::ordered_json::array();
  for (const MetadataRow& row : model.metadata) {
    metadata.push_back({{"key", row.key}, {"type", row.type}, {"value", row.value}});
  }
  nlohmann::ordered_json tensors = nlohmann::ordered_json::array();
  for (const TensorRow& row : model.tensors) {
    tensors.push_back({{"name", row.name},
                       {"type", dtype_name(row.type)},
                       {"shape", row.shape},
                       {"bytes", row.bytes}});
  }
  return {
      {"file", {{"path", path.string()}, {"format", model.format}, {"bytes", model.file_bytes}}},
      {"architecture", model.architecture},
      {"name", model.name},
      {"weights", model.weights},
      {"bits_per_weight", model.bits_per_weight},
      {"metadata", metadata},
      {"tensors", tensors},
      {"conformance_problems", model.conformance_problems}};
}

// A name from outside may hold anything; a terminal should not.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

void print_text(const Inspection& model, const std::filesystem::path& path) {
  fmt::print("{}: {}, {}\n", path.string(), model.format, readable_bytes(model.file_bytes));
  fmt::print("{} \"{}\", {} weights in {} tensors, {:.2f} bits per weight\n\n",
             printable(model.architecture), printable(model.name), model.weights,
             model.tensors.size(), model.bits_per_weight);
  for (const MetadataRow& row : model.metadata) {
    fmt::print("  {:<42} {:<14} {}\n", printable(row.key), row.type, printable(row.value));
  }
  fmt::print("\n");
  std::map<DType, std::pair<size_t, uint64_t>> by_type;
  for (const TensorRow& row : model.tensors) {
    fmt::print("  {:<32} {:<5} {:>16} {:>12}\n", printable(row.name), dtype_name(row.type),
               shape_text(row.shape), readable_bytes(row.bytes));
    ++by_type[row.type].first;
    by_type[row.type].second += row.bytes;
  }
  fmt::print("\n");
  for (const auto& [type, sum] : by_type) {
    fmt::print("  {:<5} {:>4} tensors {:>12}\n", dtype_name(type), sum.first,
               readable_bytes(sum.second));
  }
}

void run(const Options& options) {
  if (is_statistics_file(options.model)) {
    if (options.validate)
      throw CLI::ValidationError("--validate is about models, and that is a file of statistics");
    return show_statistics(options.model, options.common.json);
  }
  const Inspection model = inspect(options.model);
  show_warnings(options.model, model.conformance_problems);
  std::vector<std::string> problems;
  if (options.validate) problems = validate(options.model, options.common.run());
  if (options.common.json) {
    auto json = to_json(model, options.model);
    if (options.validate) json["problems"] = problems;
    show_json(json);
  } else {
    print_text(model, options.model);
    if (options.validate && problems.empty()) fmt::print("\nvalid: no problem found\n");
  }
  std::fflush(stdout);
  report_problems(options.model, problems);
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("inspect", "show what is in a model, or in an importance matrix");
  show_usage(
      *command,
      "Example:  nibble inspect model.gguf --validate\n\n"
      "Usage:    nibble inspect MODEL [OPTIONS]\n"
      "          nibble inspect STATISTICS   of nibble calibrate or llama-imatrix: .gguf, .dat");
  add_model_option(*command, options->model);
  command->add_flag(
      "--validate", options->validate,
      "check config, shapes and vocabulary against each other, and that every weight is finite");
  options->common.add_to(*command);
  command->callback([options] { run(*options); });
}

}  // namespace nibble::cli
