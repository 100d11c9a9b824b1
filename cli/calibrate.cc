// nibble calibrate MODEL -f TEXT... -o STATISTICS [--moments]; --merge STATISTICS... -o STATISTICS
#include "nibble/calibrate.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "nibble/readable.h"
#include "nibble/statistics.h"

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
  std::vector<std::string> merge;  // FILE or FILE=WEIGHT
};

void print_json(const Options& options, const Calibration& result) {
  const int64_t tokens_read = result.tokens * result.passes - result.tokens_resumed;
  nlohmann::ordered_json json = {{"model", options.model.string()},
                                 {"output", options.output.string()},
                                 {"chunks", result.chunks},
                                 {"context", options.calibrate.context},
                                 {"tokens", result.tokens},
                                 {"tokens_resumed", result.tokens_resumed},
                                 {"passes", result.passes},
                                 {"tensors", result.tensors},
                                 {"bytes", result.bytes}};
  json["starved_experts"] = nlohmann::ordered_json::array();
  for (const auto& expert : result.starved) {
    json["starved_experts"].push_back(
        {{"tensor", expert.tensor}, {"expert", expert.expert}, {"tokens", expert.tokens}});
  }
  json["seconds"] = result.seconds;
  json["tokens_per_second"] = static_cast<double>(tokens_read) / result.seconds;
  json["peak_memory_bytes"] = peak_memory_bytes();
  show_json(json);
}

// One line for each tensor: there may be thousands of experts.
void print_starved(const std::vector<Calibration::StarvedExpert>& starved) {
  constexpr size_t kShown = 8;
  for (auto first = starved.begin(); first != starved.end();) {
    const auto last = std::find_if(first, starved.end(),
                                   [&](const auto& e) { return e.tensor != first->tensor; });
    std::vector<std::string> experts;
    for (auto e = first; e != last && experts.size() < kShown; ++e)
      experts.push_back(fmt::format("{} ({:.0f})", e->expert, e->tokens));
    const auto count = static_cast<size_t>(last - first);
    fmt::print("{}: {} expert{} saw less than a hundredth of an equal share of the tokens: {}{}\n",
               first->tensor, count, count == 1 ? "" : "s", fmt::join(experts, ", "),
               count > experts.size() ? ", ..." : "");
    first = last;
  }
}

void print(const Options& options, const Calibration& result) {
  fmt::print("{}: {} tensors from {} chunks of {} tokens, {}\n", options.output.string(),
             result.tensors, result.chunks, options.calibrate.context,
             readable_bytes(result.bytes));
  if (result.tokens_resumed > 0)
    fmt::print("  {} tokens of them were read by an earlier call\n", result.tokens_resumed);
  print_starved(result.starved);
  std::fflush(stdout);
  const int64_t tokens_read = result.tokens * result.passes - result.tokens_resumed;
  fmt::print(stderr, "{:.1f} tokens/s, {:.2f} s, peak memory {}\n",
             static_cast<double>(tokens_read) / result.seconds, result.seconds,
             readable_bytes(peak_memory_bytes()));
}

void measure(Options& options) {
  if (options.model.empty()) throw CLI::RequiredError("MODEL");
  if (options.texts.empty()) throw CLI::RequiredError("a text (-f TEXT)");
  if (!options.memory.empty()) options.calibrate.memory_limit = parse_bytes(options.memory);
  std::vector<CalibrationText> texts;
  for (const auto& path : options.texts)
    texts.push_back({path.string(), read_text(path), path.extension() == ".jsonl"});
  if (!options.calibrate.resume && has_checkpoint(options.output)) {
    fmt::print(stderr, "{}: begins anew; --resume would go on with the unfinished work there\n",
               options.output.string());
  }
  options.load.run = options.common.run();
  const Model model(options.model, options.load);
  const Calibration result =
      calibrate(model, texts, options.output, options.calibrate, options.load.run);
  options.common.json ? print_json(options, result) : print(options, result);
}

// FILE=WEIGHT, unless there is a file of the whole name.
StatisticsInput parse_merged(const std::string& text) {
  const size_t sign = text.rfind('=');
  std::error_code ignored;
  if (sign == std::string::npos || std::filesystem::exists(text, ignored)) return {text};
  StatisticsInput input = {text.substr(0, sign)};
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + sign + 1, end, input.weight);
  if (error != std::errc() || rest != end) {
    throw CLI::ValidationError("--merge " + text + ": \"" + text.substr(sign + 1) +
                               "\" is no weight; FILE=2.5 is how one is written");
  }
  return input;
}

void merge(const Options& options) {
  if (!options.model.empty() || !options.texts.empty() || !options.calibrate.added.empty()) {
    throw CLI::ValidationError(
        "--merge adds up files and reads neither a model nor texts; to add what a text gives to a "
        "file, use --in-file");
  }
  std::vector<StatisticsInput> inputs;
  for (const std::string& text : options.merge) inputs.push_back(parse_merged(text));
  const MergedStatistics result =
      merge_statistics(inputs, options.output, options.calibrate.context);
  for (const auto& path : result.without_moments) {
    fmt::print(stderr, "warning: {}: has no second moments, so the sum has none\n", path.string());
  }
  if (options.common.json) {
    show_json({{"output", options.output.string()},
               {"files", inputs.size()},
               {"tensors", result.tensors},
               {"moments", result.has_moments},
               {"bytes", result.bytes}});
    return;
  }
  fmt::print("{}: {} tensors from {} files{}, {}\n", options.output.string(), result.tensors,
             inputs.size(), result.has_moments ? ", with second moments" : "",
             readable_bytes(result.bytes));
}

void add_text_options(CLI::App& command, Options& options) {
  CalibrateOptions& calibrate = options.calibrate;
  command
      .add_option("-f,--file", options.texts,
                  "a text, UTF-8, or with .jsonl texts and chats, one a line; repeatable")
      ->type_name("FILE");
  command
      .add_option("-c,--context,--ctx-size", calibrate.context, "tokens in a chunk (default: 512)")
      ->type_name("N");
  command.add_option("--chunks", calibrate.chunks, "read the first N chunks only (default: all)")
      ->type_name("N");
  command
      .add_option("--sequential", calibrate.sequential,
                  "measure each layer with those before it quantized to this type (with --moments; "
                  "reads the texts once for each layer)")
      ->type_name("TYPE");
  command.add_flag("--process-output", calibrate.process_output,
                   "measure what the output matrix multiplies, too");
  command.add_flag(
      "--parse-special", calibrate.parse_special,
      "control tokens written in the texts become their ids (in chats they do anyway)");
}

void add_output_options(CLI::App& command, Options& options) {
  CalibrateOptions& calibrate = options.calibrate;
  command
      .add_option("-o,--output", options.output,
                  "the file to write: GGUF, or with .dat llama.cpp's legacy layout")
      ->required()
      ->type_name("STATISTICS");
  command
      .add_option("--in-file", calibrate.added,
                  "add to what this file says, GGUF or .dat; repeatable")
      ->type_name("FILE");
  command.add_flag("--moments,--hessian", calibrate.moments,
                   "second moments as well, for quantization with error feedback");
  command
      .add_option("--memory", options.memory,
                  "for moments: with less than they take, the texts are read several times "
                  "(default: 4GiB)")
      ->type_name("SIZE");
  command
      .add_option("--checkpoint", calibrate.checkpoint_seconds,
                  "keep what was measured in STATISTICS.checkpoint every so many seconds and at "
                  "Ctrl-C (default: 60; 0: never)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("S");
  command.add_flag("--resume", calibrate.resume,
                   "go on with what an interrupted call left, to the same bytes");
  command
      .add_option("--merge", options.merge,
                  "instead of measuring: add up these files, each as often as its weight says")
      ->type_name("FILE[=WEIGHT]");
}

}  // namespace

void add_calibrate(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "calibrate", "measure what a model's matrices multiply: an importance matrix, and moments");
  show_usage(*command,
             "Example:  nibble calibrate model-f16.gguf -f calibration.txt -o statistics.gguf "
             "--moments\n\n"
             "Usage:    nibble calibrate MODEL -f TEXT... -o STATISTICS [OPTIONS]\n"
             "          nibble calibrate --merge STATISTICS[=WEIGHT]... -o STATISTICS\n"
             "What a file says: nibble inspect STATISTICS");
  command->add_option("MODEL", options->model, "Hugging Face directory, .gguf, or .safetensors")
      ->type_name("");
  add_text_options(*command, *options);
  add_output_options(*command, *options);
  add_load_options(*command, options->load);
  options->common.add_to(*command);
  command->callback([options] { options->merge.empty() ? measure(*options) : merge(*options); });
}

}  // namespace nibble::cli
