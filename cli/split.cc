// nibble split GGUF --max-size SIZE | --max-tensors N [-o PREFIX] and nibble join FIRST -o GGUF
#include "nibble/split.h"

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
  std::filesystem::path input;
  std::filesystem::path output;
  std::string max_size;
  SplitOptions split;
};

void print(const std::vector<GgufFileSize>& files, bool json) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const GgufFileSize& file : files) {
    list.push_back(
        {{"path", file.path.string()}, {"tensors", file.tensors}, {"bytes", file.bytes}});
    if (!json) {
      fmt::print("{}: {} tensors, {}\n", file.path.string(), file.tensors,
                 readable_bytes(file.bytes));
    }
  }
  if (json) show_json({{"files", list}});
}

void run_split(Options& options) {
  if (!options.max_size.empty()) {
    options.split.max_bytes = parse_bytes(options.max_size);
    if (options.split.max_bytes == 0) throw CLI::ValidationError("--max-size: no file has 0 bytes");
  }
  options.split.run = options.common.run();
  const auto prefix = options.output.empty() ? options.input.stem() : options.output;
  print(split(options.input, prefix, options.split), options.common.json);
}

void run_join(const Options& options) {
  const JoinOptions join_options = {options.common.run(), options.split.dry_run,
                                    options.split.overwrite};
  print({join(options.input, options.output, join_options)}, options.common.json);
}

void add_common(CLI::App& command, Options& options) {
  command.add_flag("--dry-run", options.split.dry_run, "show the files, write nothing");
  command.add_flag("--force", options.split.overwrite, "replace files that exist");
  options.common.add_to(command);
}

}  // namespace

void add_split(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("split", "write a GGUF model as several files");
  show_usage(*command,
             "Example:  nibble split model.gguf --max-size 2GB -o parts/model\n\n"
             "Usage:    nibble split GGUF (--max-size SIZE | --max-tensors N) [-o PREFIX] "
             "[OPTIONS]");
  command->add_option("GGUF", options->input, "the model")->required()->type_name("");
  command
      ->add_option("-o,--output", options->output,
                   "files become PREFIX-00001-of-0000N.gguf (default: GGUF's name)")
      ->type_name("PREFIX");
  CLI::Option_group* limit = command->add_option_group("limit");
  limit->add_option("--max-size", options->max_size, "most bytes of a file: 2GB, 500MiB")
      ->type_name("SIZE");
  limit->add_option("--max-tensors", options->split.max_tensors, "most tensors in a file")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 32))
      ->type_name("N");
  limit->require_option(1);
  command->add_flag("--no-tensor-first", options->split.first_empty,
                    "the first file has metadata only");
  add_common(*command, *options);
  command->callback([options] { run_split(*options); });
}

void add_join(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("join", "write the files of a split model as one");
  show_usage(*command,
             "Example:  nibble join parts/model-00001-of-00003.gguf -o model.gguf\n\n"
             "Usage:    nibble join FIRST -o GGUF [OPTIONS]");
  command->add_option("FIRST", options->input, "the first file of the split")
      ->required()
      ->type_name("");
  command->add_option("-o,--output", options->output, "the file to write")
      ->required()
      ->type_name("GGUF");
  add_common(*command, *options);
  command->callback([options] { run_join(*options); });
}

}  // namespace nibble::cli
