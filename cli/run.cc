// nibble run MODEL -p PROMPT [-n N], nibble run MODEL -i
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/chat.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "nibble/conformance.h"
#include "nibble/error.h"
#include "nibble/generate.h"
#include "nibble/readable.h"

namespace nibble::cli {
namespace {

struct Options {
  CommonOptions common;
  std::filesystem::path model;
  std::string prompt;
  LoadOptions load;
  GenerateOptions generate;
  bool chats = false;
  std::string system;
  std::filesystem::path chat_template;
};

double per_second(size_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

// The first new token comes out of reading the prompt.
double generation_rate(const GenerateResult& result) {
  return result.tokens.size() < 2 ? 0
                                  : per_second(result.tokens.size() - 1, result.generation_seconds);
}

void print_json(const Options& options, const Model& model, const GenerateResult& result,
                const std::vector<std::string>& problems) {
  const nlohmann::ordered_json json = {
      {"model", options.model.string()},
      {"prompt",
       {{"text", options.prompt},
        {"ids", result.prompt_tokens},
        {"seconds", result.prompt_seconds},
        {"tokens_per_second", per_second(result.prompt_tokens.size(), result.prompt_seconds)}}},
      {"generation",
       {{"text", result.text},
        {"ids", result.tokens},
        {"stop", result.stop},
        {"context_shifts", result.shifts},
        {"seconds", result.generation_seconds},
        {"tokens_per_second", generation_rate(result)}}},
      {"load_seconds", model.load_seconds()},
      {"weight_bytes", model.weight_bytes()},
      {"peak_memory_bytes", peak_memory_bytes()},
      {"conformance_problems", problems}};
  show_json(json);
}

void check_usage(const Options& options) {
  if (!options.chats && options.prompt.empty())
    throw Error(ErrorCode::kUsage, "there is nothing to continue: give -p PROMPT, or chat with -i");
  if (!options.chats && !options.system.empty())
    throw Error(ErrorCode::kUsage, "--system is for chats: it goes with -i");
  if (!options.chats && !options.chat_template.empty())
    throw Error(ErrorCode::kUsage, "--chat-template is for chats: it goes with -i");
  if (options.chats && options.common.json)
    throw Error(ErrorCode::kUsage, "a chat is read by people: --json does not go with -i");
}

std::string read_template(const std::filesystem::path& path) {
  if (path.empty()) return {};
  std::string text = read_text(path);
  if (text.empty())
    throw Error(ErrorCode::kInvalidFile, path.string() + ": is empty, expected a chat template");
  return text;
}

void run(Options& options) {
  options.load.run = options.common.run();
  options.generate.cancelled = &interrupted();
  check_usage(options);
  const Model model(options.model, options.load);
  const auto problems = show_warnings(options.model, conformance_problems(model));
  if (options.chats) {
    run_chat(model, {options.generate, options.system, read_template(options.chat_template)},
             options.prompt, options.common.quiet);
    return;
  }
  const auto stream = [](std::string_view text) {
    fmt::print("{}", text);
    std::fflush(stdout);
  };
  if (options.common.json) {
    print_json(options, model, generate(model, options.prompt, options.generate), problems);
    return;
  }
  const GenerateResult result = generate(model, options.prompt, options.generate, stream);
  fmt::print("\n");
  std::fflush(stdout);
  if (options.common.quiet) return;
  fmt::print(stderr,
             "\nload {:.3f} s | prompt {} tokens, {:.1f} tokens/s | generation {} tokens, {:.1f} "
             "tokens/s | stopped by {} | "
             "peak memory {}\n",
             model.load_seconds(), result.prompt_tokens.size(),
             per_second(result.prompt_tokens.size(), result.prompt_seconds), result.tokens.size(),
             generation_rate(result), result.stop, readable_bytes(peak_memory_bytes()));
}

void add_sampling(CLI::App& command, GenerateOptions& generate) {
  command
      .add_option("--temperature", generate.temperature,
                  "0 takes the likeliest token always (default: 0.8)")
      ->type_name("N");
  command
      .add_option("--top-k", generate.top_k,
                  "sample from the K likeliest tokens, 0: all (default: 40)")
      ->type_name("N");
  command
      .add_option("--top-p", generate.top_p,
                  "... from the likeliest that make up this probability (default: 0.95)")
      ->type_name("N");
  command
      .add_option("--min-p", generate.min_p,
                  "... from those with this share of the likeliest's (default: 0.05)")
      ->type_name("N");
  command
      .add_option("--repetition-penalty", generate.repetition_penalty,
                  "above 1 discourages repetition (default: 1)")
      ->type_name("N");
  command
      .add_option("--repetition-window", generate.repetition_window,
                  "tokens looked back on (default: 64)")
      ->type_name("N");
  command.add_option("--seed", generate.seed, "of the random numbers (default: 0)")->type_name("N");
}

}  // namespace

void add_run(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("run", "continue a prompt");
  show_usage(*command,
             "Example:  nibble run model-q4_k_m.gguf -p \"Once upon a time\" -n 64\n"
             "          nibble run model-q4_k_m.gguf -i --system \"Answer briefly.\"\n\n"
             "Usage:    nibble run MODEL -p PROMPT | -i [OPTIONS]");
  add_model_option(*command, options->model);
  command
      ->add_option("-p,--prompt", options->prompt,
                   "the text to continue; with -i the first message")
      ->type_name("TEXT");
  command->add_flag("-i,--interactive", options->chats,
                    "chat, by the model's own chat template (/help shows what can be typed)");
  command->add_option("--system", options->system, "what the model is told before a chat")
      ->type_name("TEXT");
  command
      ->add_option("--chat-template", options->chat_template,
                   "chat by this template (Jinja) instead of the model's own")
      ->type_name("FILE");
  add_load_options(*command, options->load);
  command
      ->add_option("-n,--max-tokens", options->generate.max_tokens,
                   "new tokens at most, of each answer (default: 128, in a chat 1024)")
      ->type_name("N");
  command
      ->add_option("-c,--context", options->generate.context,
                   "positions kept (default: what is needed)")
      ->type_name("N");
  command->add_flag("--context-shift", options->generate.context_shift,
                    "when the context is full, forget the older half and go on");
  command
      ->add_option("--keep", options->generate.keep,
                   "first tokens that are never forgotten, -1: the prompt's (default: 4)")
      ->type_name("N");
  add_kv_options(*command, options->generate.kv_type);
  command->add_flag("--ignore-eos", options->generate.ignore_eos,
                    "go on after the model's end token");
  add_sampling(*command, options->generate);
  options->common.add_to(*command);
  CLI::Option* most = command->get_option("--max-tokens");
  command->callback([options, most] {
    constexpr int64_t kAnswer = 1024;
    if (options->chats && most->count() == 0) options->generate.max_tokens = kAnswer;
    run(*options);
  });
}

}  // namespace nibble::cli
