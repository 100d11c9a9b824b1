// nibble verify FILE --source MODEL
#include "nibble/verify.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "nibble/readable.h"

namespace nibble::cli {
namespace {

struct Options {
  CommonOptions common;
  std::filesystem::path file;
  std::filesystem::path source;
  std::string sample = "100%";
  VerifyOptions verify;
};

void print_json(const VerifyResult& result) {
  nlohmann::ordered_json problems = nlohmann::ordered_json::array();
  for (const auto& [tensor, what] : result.problems) {
    problems.push_back({{"tensor", tensor}, {"problem", what}});
  }
  const nlohmann::ordered_json json = {{"verified", result.problems.empty()},
                                       {"problems", problems},
                                       {"notes", result.notes},
                                       {"tensors", result.tensors},
                                       {"bytes", result.bytes},
                                       {"bytes_compared", result.bytes_compared}};
  show_json(json);
}

void run(Options& options) {
  options.verify.run = options.common.run();
  options.verify.sample = parse_share(options.sample);
  const VerifyResult result = verify(options.file, options.source, options.verify);
  if (options.common.json) {
    print_json(result);
  } else {
    for (const std::string& note : result.notes) fmt::print("note: {}\n", note);
    fmt::print("{} tensors, {} of {} compared\n", result.tensors,
               readable_bytes(result.bytes_compared), readable_bytes(result.bytes));
    if (result.problems.empty())
      fmt::print("verified: every byte compared is what the source gives\n");
  }
  std::fflush(stdout);
  std::vector<std::string> problems;
  for (const auto& [tensor, what] : result.problems) problems.push_back(tensor + ": " + what);
  report_problems(options.file, problems);
}

}  // namespace

void add_verify(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("verify", "encode the source again and compare it with a quantized file");
  show_usage(*command,
             "Example:  nibble verify model-q4_k_m.gguf --source models/llama --sample 1%\n\n"
             "Usage:    nibble verify FILE --source MODEL [OPTIONS]");
  command->add_option("FILE", options->file, "the quantized .gguf")->required()->type_name("");
  command->add_option("--source", options->source, "the model that it was made from")
      ->required()
      ->type_name("MODEL");
  command
      ->add_option("--imatrix", options->verify.imatrix,
                   "the importance matrix that it was made with")
      ->type_name("FILE");
  command
      ->add_option("--sample", options->sample,
                   "share of the weights to compare, e.g. 1% (default: all)")
      ->type_name("SHARE");
  command->add_option("--seed", options->verify.seed, "which sample (default: 1)")->type_name("N");
  options->common.add_to(*command);
  command->callback([options] { run(*options); });
}

}  // namespace nibble::cli
