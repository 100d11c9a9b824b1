// nibble calibrate MODEL -f TEXT... -o STATISTICS [--moments]
#include "nibble/calibrate.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "nibble/readable.h"

namespace nibble::cli {
namespace {

struct Options {
  CommonOptions common;
  std::filesystem::path model;
  std::vector<std::filesystem::path> texts;
  std::filesystem::path output;
  LoadOptions load;
  CalibrateOptions calibrate;
  std::string memory;
};

void print_json(const Options& options, const Calibration& result) {
  nlohmann::ordered_json json = {
      {"model", options.model.string()}, {"output", options.output.string()},
      {"chunks", result.chunks},         {"context", options.calibrate.context},
      {"tokens", result.tokens},         {"passes", result.passes},
      {"tensors", result.tensors},       {"bytes", result.bytes}};
  json["starved_experts"] = nlohmann::ordered_json::array();
  for (const auto& expert : result.starved) {
    json["starved_experts"].push_back(
        {{"tensor", expert.tensor}, {"expert", expert.expert}, {"tokens", expert.tokens}});
  }
  json["seconds"] = result.seconds;
  json["tokens_per_second"] = static_cast<double>(result.tokens * result.passes) / result.seconds;
  json["peak_memory_bytes"] = peak_memory_bytes();
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

void print(const Options& options, const Calibration& result) {
  fmt::print("{}: {} tensors from {} chunks of {} tokens, {}\n", options.output.string(),
             result.tensors, result.chunks, options.calibrate.context,
             readable_bytes(result.bytes));
  for (const auto& expert : result.starved) {
    fmt::print("{}: expert {} saw {:.0f} tokens only\n", expert.tensor, expert.expert,
               expert.tokens);
  }
  std::fflush(stdout);
  fmt::print(stderr, "{:.1f} tokens/s, {:.2f} s, peak memory {}\n",
             static_cast<double>(result.tokens * result.passes) / result.seconds, result.seconds,
             readable_bytes(peak_memory_bytes()));
}

void run(Options& options) {
  if (!options.memory.empty()) options.calibrate.memory_limit = parse_bytes(options.memory);
  std::vector<CalibrationText> texts;
  for (const auto& path : options.texts) texts.push_back({path.string(), read_text(path)});
  options.load.run = options.common.run();
  const Model model(options.model, options.load);
  const Calibration result =
      calibrate(model, texts, options.output, options.calibrate, options.load.run);
  options.common.json ? print_json(options, result) : print(options, result);
}

}  // namespace

void add_calibrate(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "calibrate", "measure what a model's matrices multiply: an importance matrix, and moments");
  show_usage(*command,
             "Example:  nibble calibrate model-f16.gguf -f calibration.txt -o statistics.gguf "
             "--moments\n\n"
             "Usage:    nibble calibrate MODEL -f TEXT... -o STATISTICS [OPTIONS]");
  command->add_option("MODEL", options->model, "Hugging Face directory, .gguf, or .safetensors")
      ->required()
      ->type_name("");
  command->add_option("-f,--file", options->texts, "a text, UTF-8; repeatable")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("-o,--output", options->output,
                   "the file to write: GGUF, or with .dat llama.cpp's legacy layout")
      ->required()
      ->type_name("STATISTICS");
  add_load_options(*command, options->load);
  CalibrateOptions& calibrate = options->calibrate;
  command
      ->add_option("-c,--context,--ctx-size", calibrate.context, "tokens in a chunk (default: 512)")
      ->type_name("N");
  command->add_option("--chunks", calibrate.chunks, "read the first N chunks only (default: all)")
      ->type_name("N");
  command->add_flag("--moments,--hessian", calibrate.moments,
                    "second moments as well, for quantization with error feedback");
  command->add_flag("--process-output", calibrate.process_output,
                    "measure what the output matrix multiplies, too");
  command->add_flag("--parse-special", calibrate.parse_special,
                    "control tokens written in the texts become their ids");
  command
      ->add_option("--memory", options->memory,
                   "for moments: with less than they take, the texts are read several times "
                   "(default: 4GiB)")
      ->type_name("SIZE");
  options->common.add_to(*command);
  command->callback([options] { run(*options); });
}

}  // namespace nibble::cli
