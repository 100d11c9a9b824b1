// nibble evaluate MODEL -f TEXT [--context N] [--windows N]
#include "nibble/evaluate.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "nibble/error.h"

namespace nibble::cli {
namespace {

struct Options {
  CommonOptions common;
  std::filesystem::path model;
  std::filesystem::path text;
  LoadOptions load;
  PerplexityOptions perplexity;
};

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code ignored;
  if (!file || std::filesystem::is_directory(path, ignored)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("{}: cannot read the text: {}", path.string(), std::strerror(errno)));
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

void print_json(const Options& options, const Model& model, const PerplexityResult& result) {
  const nlohmann::ordered_json json = {
      {"model", options.model.string()},
      {"text", options.text.string()},
      {"perplexity", {{"mean", result.mean}, {"error", result.error}, {"nll", result.nll}}},
      {"context", result.context},
      {"windows", result.windows},
      {"scored_tokens", result.scored_tokens},
      {"seconds", result.seconds},
      {"tokens_per_second", static_cast<double>(result.processed_tokens) / result.seconds},
      {"load_seconds", model.load_seconds()},
      {"peak_memory_bytes", peak_memory_bytes()}};
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

void run(Options& options) {
  const std::string text = read_text(options.text);
  options.load.run = options.common.run();
  const Model model(options.model, options.load);
  const PerplexityResult result = perplexity(model, text, options.perplexity, options.load.run);
  if (options.common.json) {
    print_json(options, model, result);
    return;
  }
  fmt::print("perplexity {:.4f} +- {:.4f}  ({} windows of {}, {} tokens scored)\n", result.mean,
             result.error, result.windows, result.context, result.scored_tokens);
  fmt::print(stderr, "{:.1f} tokens/s, {:.2f} s, peak memory {}\n",
             static_cast<double>(result.processed_tokens) / result.seconds, result.seconds,
             readable_bytes(peak_memory_bytes()));
}

}  // namespace

void add_evaluate(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("evaluate", "measure a model's perplexity on a text");
  show_usage(*command,
             "Example:  nibble evaluate model-q4_k_m.gguf -f wiki.test.raw --context 512\n\n"
             "Usage:    nibble evaluate MODEL -f TEXT [OPTIONS]");
  command->add_option("MODEL", options->model, "Hugging Face directory, .gguf, or .safetensors")
      ->required()
      ->type_name("");
  command->add_option("-f,--file", options->text, "the text, UTF-8")->required()->type_name("FILE");
  add_load_options(*command, options->load);
  command
      ->add_option("-c,--context", options->perplexity.context, "tokens in a window (default: 512)")
      ->type_name("N");
  command
      ->add_option("--windows", options->perplexity.windows,
                   "evaluate the first N windows only (default: all)")
      ->type_name("N");
  add_kv_options(*command, options->perplexity.kv_type);
  options->common.add_to(*command);
  command->callback([options] { run(*options); });
}

}  // namespace nibble::cli
