// nibble compare MODEL... --reference REF -f TEXT [-o report.html]
#include "nibble/compare.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "nibble/error.h"

namespace nibble::cli {
namespace {

struct Options {
  CommonOptions common;
  std::vector<std::filesystem::path> models;
  std::filesystem::path text;
  std::vector<std::filesystem::path> outputs;
  bool no_speed = false;
  bool fresh = false;
  CompareOptions compare;
};

const CompareFormat& format_named(std::string_view name) {
  for (const CompareFormat& format : compare_formats())
    if (format.name == name) return format;
  throw Error(ErrorCode::kUsage, fmt::format("there is no format {}", name));
}

// The first of the reports that can be read again.
std::filesystem::path readable_report(const Options& options) {
  for (const auto& path : options.outputs)
    if (path.extension() == ".html" || path.extension() == ".json") return path;
  return {};
}

void run(Options& options) {
  for (const auto& path : options.outputs) check_report_path(path);
  options.compare.run = options.common.run();
  options.compare.text = read_text(options.text);
  options.compare.text_name = options.text.filename().string();
  if (options.no_speed) options.compare.repetitions = 0;
  const std::filesystem::path kept = readable_report(options);
  if (!options.fresh) options.compare.earlier = kept;
  if (!kept.empty()) {
    options.compare.on_measured = [&](const Comparison& so_far) { write_report(so_far, kept); };
  }
  const Comparison comparison = compare(options.models, options.compare);
  end_progress();
  for (const auto& path : options.outputs) write_report(comparison, path);
  const std::string_view format = options.common.json ? "json" : "md";
  fmt::print("{}", format_named(format).write(comparison));
  std::fflush(stdout);
  for (const auto& path : options.outputs) fmt::print(stderr, "wrote {}\n", path.string());
}

void add_measures(CLI::App& command, Options& options) {
  CompareOptions& compare = options.compare;
  command
      .add_option("-c,--context", compare.context,
                  "tokens in a window (default: 512, or as many as the reference was trained for)")
      ->type_name("N");
  command
      .add_option("--windows", compare.windows, "the first N windows only, 0: all (default: 100)")
      ->type_name("N");
  command
      .add_option("--layer-windows", compare.layer_windows,
                  "windows that layers are compared on, 0: not at all (default: 4)")
      ->type_name("N");
  command
      .add_option("-p,--prompt", compare.prompts,
                  "a beginning that all continue; repeatable (default: from the text)")
      ->allow_extra_args(false)
      ->type_name("TEXT");
  command
      .add_option("-n,--tokens", compare.continued_tokens,
                  "of each continuation, 0: none (default: 48)")
      ->type_name("N");
  command.add_option("--tasks", compare.tasks, "KIND=FILE,... or prompts, as evaluate has them")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("TASKS");
  command.add_option("-r,--repetitions", compare.repetitions, "of measuring speed (default: 3)")
      ->type_name("N");
  command.add_flag("--no-speed", options.no_speed, "do not measure speed and memory");
}

}  // namespace

void add_compare(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "compare", "measure several files of a model beside a reference: a table and a report");
  show_usage(*command,
             "Example:  nibble compare model-*.gguf --reference model-f16 -f wiki.test.raw -o "
             "report.html\n\n"
             "Usage:    nibble compare MODEL... --reference REF -f TEXT [OPTIONS]");
  command->add_option("MODEL", options->models, "files of one model")->required()->type_name("");
  command
      ->add_option("--reference", options->compare.reference,
                   "the model that they were made from, or another to be measured against")
      ->required()
      ->type_name("REF");
  command->add_option("-f,--file", options->text, "the text, UTF-8")->required()->type_name("FILE");
  command
      ->add_option(
          "-o,--output", options->outputs,
          "a report: .html, .md, .csv or .json; repeatable. What an .html or .json that is "
          "there says of unchanged files is not measured again, nor what an interrupted call left")
      ->allow_extra_args(false)
      ->type_name("FILE");
  command->add_flag("--fresh", options->fresh, "measure everything again");
  add_measures(*command, *options);
  options->common.add_to(*command);
  command->callback([options] { run(*options); });
}

}  // namespace nibble::cli
