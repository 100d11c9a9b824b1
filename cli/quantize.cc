// nibble quantize MODEL -t TYPE[,TYPE...] [-o OUT]
#include "nibble/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/terminal.h"

namespace nibble::cli {
namespace {

struct Options {
  CommonOptions common;
  std::filesystem::path model;
  std::string types;
  std::filesystem::path output;
  std::string memory = "2GiB";
  bool pure = false;
  bool allow_requantize = false;
  std::filesystem::path imatrix;
  std::vector<std::string> include_weights;
  std::vector<std::string> exclude_weights;
};

// "models/lab-7m/" and "lab-7m-f16.gguf" are both lab-7m.
std::string base_name(const std::filesystem::path& model) {
  const auto whole = std::filesystem::weakly_canonical(model);
  std::string name =
      std::filesystem::is_directory(whole) ? whole.filename().string() : whole.stem().string();
  for (const char* suffix : {"-f32", "-f16", "-bf16", "-F32", "-F16", "-BF16"}) {
    if (name.ends_with(suffix))
      return name.substr(0, name.size() - std::string_view(suffix).size());
  }
  return name;
}

std::string type_name(const std::string& type) {
  return type.ends_with(".recipe") ? std::filesystem::path(type).stem().string() : type;
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
  if (!is_file && !options.output.empty()) std::filesystem::create_directories(options.output);
  return targets;
}

void print_json(const QuantizeResult& result) {
  nlohmann::ordered_json outputs = nlohmann::ordered_json::array();
  for (const QuantizedFile& file : result.files) {
    nlohmann::ordered_json fallbacks = nlohmann::ordered_json::array();
    for (const auto& fallback : file.fallbacks) {
      fallbacks.push_back({{"tensor", fallback.tensor},
                           {"wanted", dtype_name(fallback.wanted)},
                           {"used", dtype_name(fallback.used)}});
    }
    outputs.push_back({{"type", file.type},
                       {"path", file.path.string()},
                       {"bytes", file.bytes},
                       {"weights", file.weights},
                       {"bits_per_weight", file.bits_per_weight},
                       {"seconds", result.seconds},
                       {"fallbacks", fallbacks}});
  }
  const nlohmann::ordered_json json = {{"outputs", outputs},
                                       {"importance_tensors", result.importance_tensors},
                                       {"seconds", result.seconds},
                                       {"source_bytes", result.source_bytes},
                                       {"peak_buffer_bytes", result.peak_buffer_bytes},
                                       {"peak_memory_bytes", peak_memory_bytes()}};
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

void print_fallbacks(const QuantizedFile& file) {
  if (file.fallbacks.empty()) return;
  const auto& first = file.fallbacks.front();
  fmt::print(
      "  {} of its tensors have rows that {} blocks do not divide and became {} or larger (first: "
      "{}); the bits "
      "per weight above count that\n",
      file.fallbacks.size(), dtype_name(first.wanted), dtype_name(first.used), first.tensor);
}

void print_table(const QuantizeResult& result) {
  for (const QuantizedFile& file : result.files) {
    fmt::print("{}: {}, {:.2f} bits per weight\n", file.path.string(), readable_bytes(file.bytes),
               file.bits_per_weight);
    print_fallbacks(file);
  }
  if (result.importance_tensors > 0)
    fmt::print("importance matrix: used for {} tensors\n", result.importance_tensors);
  fmt::print(stderr, "{} read once in {:.2f} s, peak memory {}\n",
             readable_bytes(result.source_bytes), result.seconds,
             readable_bytes(peak_memory_bytes()));
}

void run(const Options& options) {
  QuantizeOptions quantize_options;
  quantize_options.run = options.common.run();
  quantize_options.pure = options.pure;
  quantize_options.allow_requantize = options.allow_requantize;
  quantize_options.imatrix = options.imatrix;
  quantize_options.include_weights = options.include_weights;
  quantize_options.exclude_weights = options.exclude_weights;
  quantize_options.memory_limit = parse_bytes(options.memory);
  const QuantizeResult result = quantize(options.model, targets_of(options), quantize_options);
  if (options.common.json) {
    print_json(result);
  } else {
    print_table(result);
  }
}

}  // namespace

void add_quantize(CLI::App& app) {
  auto options = std::make_shared<Options>();
  std::string types;
  for (const std::string& type : quantize_types()) types += (types.empty() ? "" : " ") + type;
  CLI::App* command =
      app.add_subcommand("quantize", "write a model as GGUF in one or more smaller types");
  show_usage(*command,
             "Example:  nibble quantize models/llama -t q4_k_m,q8_0 -o out\n\n"
             "Usage:    nibble quantize MODEL -t TYPE[,TYPE...] [-o OUT] [OPTIONS]");
  command
      ->add_option("MODEL", options->model,
                   "Hugging Face directory, .gguf, or .safetensors with config.json beside it")
      ->required()
      ->type_name("");
  command
      ->add_option("-t,--type", options->types,
                   "types, separated by commas: " + types + ", or a .recipe file")
      ->required()
      ->type_name("TYPE[,TYPE...]");
  command
      ->add_option("-o,--output", options->output,
                   "a .gguf file for one type, or a folder (default: the current one)")
      ->type_name("OUT");
  command
      ->add_option("--memory", options->memory,
                   "most bytes of buffers, e.g. 512MiB (default: 2GiB)")
      ->type_name("SIZE");
  command->add_flag("--pure", options->pure, "the recipe's base type for every matrix");
  command->add_flag("--allow-requantize", options->allow_requantize,
                    "accept a model that is quantized already");
  command
      ->add_option("--imatrix", options->imatrix,
                   "importance matrix of llama-imatrix: errors count by it")
      ->type_name("FILE");
  command
      ->add_option("--include-weights", options->include_weights,
                   "use it only for tensors whose names contain this (repeatable)")
      ->allow_extra_args(false)
      ->needs("--imatrix")
      ->type_name("TEXT");
  command
      ->add_option("--exclude-weights", options->exclude_weights,
                   "do not use it for tensors whose names contain this (repeatable)")
      ->allow_extra_args(false)
      ->needs("--imatrix")
      ->excludes("--include-weights")
      ->type_name("TEXT");
  options->common.add_to(*command);
  command->callback([options] { run(*options); });
}

}  // namespace nibble::cli
