// nibble bench MODEL... [-p N,...] [-n N,...] [-d N,...] [-o FORMAT] [--store FILE [--compare]]
#include "nibble/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/terminal.h"

namespace nibble::cli {
namespace {

struct Options {
  CommonOptions common;
  std::vector<std::filesystem::path> models;
  BenchOptions bench;
  std::vector<int64_t> prompts_then_generated;  // P, G, P, G, ...
  std::string format = "md";
  bool no_limits = false;
};

void print(const std::string& text) {
  fmt::print("{}", text);
  std::fflush(stdout);
}

void run(Options& options) {
  options.bench.load.run = options.common.run();
  options.bench.limits = !options.no_limits;
  const auto& pairs = options.prompts_then_generated;
  for (size_t i = 0; i + 1 < pairs.size(); i += 2)
    options.bench.prompts_then_generated.emplace_back(pairs[i], pairs[i + 1]);
  const std::string_view name = options.common.json ? "json" : std::string_view(options.format);
  const auto formats = bench_formats();
  const BenchFormat& format =
      *std::find_if(formats.begin(), formats.end(), [&](const auto& f) { return f.name == name; });
  const auto print_last = [&](const BenchReport& report) {
    end_progress();
    if (report.results.size() == 1) print(format.begin(report));
    print(format.row(report, report.results.back()));
  };
  print(format.end(bench(options.models, options.bench, print_last)));
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const BenchFormat& format : bench_formats()) names.emplace_back(format.name);
  return names;
}

// "512" or "128,512".
template <class Value>
CLI::Option* add_list(CLI::App& command, const std::string& names, std::vector<Value>& values,
                      const std::string& help) {
  return command.add_option(names, values, help)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("N");
}

void add_store(CLI::App& command, BenchOptions& bench) {
  command
      .add_option("--store", bench.store,
                  "append each result to this SQLite file; made when it is missing")
      ->type_name("FILE");
  command.add_option("--label", bench.label, "a name to store with the results, such as a commit")
      ->type_name("NAME");
  command
      .add_flag_function(
          "--compare", [&bench](int64_t) { bench.compare = BenchOptions::kLatest; },
          "show the change since the latest earlier result in the store")
      ->type_name("");
  command
      .add_option("--compare-with", bench.compare,
                  "the same, since the latest one with this label or version")
      ->type_name("NAME");
}

void add_sweeps(CLI::App& command, BenchOptions& bench,
                std::vector<int64_t>& prompts_then_generated) {
  add_list(command, "-p,--n-prompt", bench.prompts,
           "tokens of a prompt, 0: no prompt (default: 512)");
  add_list(command, "-n,--n-gen", bench.generated,
           "tokens to generate, 0: no generation (default: 64)");
  command
      .add_option("--pg,--prompt-gen", prompts_then_generated,
                  "a prompt of P tokens and G generated after it, as one test; repeatable")
      ->type_size(2)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("P,G");
  add_list(command, "-d,--depth", bench.depths,
           "tokens in the KV cache before the test (default: 0)");
  add_list(command, "--sequences", bench.sequences,
           "sequences that go on together, the weights read once for all (default: 1)");
  add_list(command, "--threads", bench.threads, "threads to work with (default: all CPUs)")
      ->check(CLI::Range(0, 1024));
  add_list(command, "--kv", bench.kv_types,
           "type of the KV cache, or KEYS/VALUES: f16 (default), q8_0/q4_0, ...")
      ->type_name("TYPE");
}

}  // namespace

void add_bench(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("bench", "measure speed, beside the limits of the machine");
  show_usage(*command,
             "Example:  nibble bench model-q4_k_m.gguf -p 512 -n 64 -d 0,4096\n\n"
             "A list, as of -d here, measures every combination.\n\n"
             "Usage:    nibble bench MODEL... [OPTIONS]");
  command->add_option("MODEL", options->models, "Hugging Face directories, .gguf, or .safetensors")
      ->required()
      ->type_name("");
  add_sweeps(*command, options->bench, options->prompts_then_generated);
  command
      ->add_option("-r,--repetitions", options->bench.repetitions,
                   "timed runs of each test (default: 3)")
      ->type_name("N");
  add_load_options(*command, options->bench.load);
  command
      ->add_option("-o,--output", options->format,
                   "md (default), csv, json, jsonl or sql, to stdout")
      ->check(CLI::IsMember(format_names()))
      ->type_name("FORMAT");
  command->add_flag("--no-limits", options->no_limits,
                    "do not measure what the machine can do at most");
  add_store(*command, options->bench);
  options->common.add_output_to(*command);
  command->callback([options] { run(*options); });
}

}  // namespace nibble::cli
