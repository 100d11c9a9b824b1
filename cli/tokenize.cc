// nibble tokenize MODEL TEXT | -f FILE
#include "nibble/tokenize.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "nibble/conformance.h"
#include "nibble/error.h"
#include "nibble/readable.h"

namespace nibble::cli {
namespace {

struct Options {
  CommonOptions common;
  std::filesystem::path model;
  std::string text;
  std::filesystem::path file, lines;
  bool no_special = false;
  bool plain = false;
  bool count = false;

  TokenizeOptions tokenize() const { return {.add_special = !no_special, .parse_special = !plain}; }
};

// As JSON writes it, so that spaces, line breaks and bytes can be told apart on a terminal.
std::string quoted(const std::string& piece) {
  return nlohmann::json(piece).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void print_tokens(const ModelTokenizer& tokenizer, const std::vector<uint32_t>& ids) {
  for (const uint32_t id : ids) fmt::print("{:>8}  {}\n", id, quoted(tokenizer.piece(id)));
}

nlohmann::ordered_json to_json(const ModelTokenizer& tokenizer, const std::vector<uint32_t>& ids,
                               const std::vector<std::string>& problems) {
  nlohmann::ordered_json tokens = nlohmann::ordered_json::array();
  for (const uint32_t id : ids) tokens.push_back({{"id", id}, {"piece", tokenizer.piece(id)}});
  return {{"count", ids.size()}, {"tokens", tokens}, {"conformance_problems", problems}};
}

void print_count(size_t tokens, size_t bytes, double seconds, bool quiet) {
  fmt::print("{}\n", tokens);
  std::fflush(stdout);
  if (quiet || seconds <= 0) return;
  fmt::print(stderr, "{} in {:.3f} s, {:.1f} MB/s\n", readable_bytes(bytes), seconds,
             static_cast<double>(bytes) / 1e6 / seconds);
}

// Each line is a text, as a JSON string.
std::vector<std::string> read_lines(const Options& options) {
  const std::string lines = read_text(options.lines);
  std::vector<std::string> texts;
  for (size_t begin = 0, number = 1; begin < lines.size(); ++number) {
    const size_t end = std::min(lines.find('\n', begin), lines.size());
    const auto json =
        nlohmann::json::parse(lines.begin() + static_cast<ptrdiff_t>(begin),
                              lines.begin() + static_cast<ptrdiff_t>(end), nullptr, false);
    if (!json.is_string()) {
      throw Error(ErrorCode::kInvalidFile,
                  fmt::format("{}: line {}: expected a text as a JSON string, such as \"a \\n b\"",
                              options.lines.string(), number));
    }
    texts.push_back(json.get<std::string>());
    begin = end + 1;
  }
  return texts;
}

// An array of ids for each, or only how many they are in all.
void tokenize_lines(const ModelTokenizer& tokenizer, const Options& options) {
  const std::vector<std::string> texts = read_lines(options);
  size_t tokens = 0, bytes = 0;
  const auto start = std::chrono::steady_clock::now();
  for (const std::string& text : texts) {
    const auto ids = tokenizer.encode(text, options.tokenize());
    tokens += ids.size();
    bytes += text.size();
    if (!options.count) fmt::print("[{}]\n", fmt::join(ids, ","));
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  if (options.count) print_count(tokens, bytes, time.count(), options.common.quiet);
}

void run(const Options& options, bool has_text) {
  const int inputs = static_cast<int>(has_text) + static_cast<int>(!options.file.empty()) +
                     static_cast<int>(!options.lines.empty());
  if (inputs != 1) {
    throw Error(ErrorCode::kUsage, "expected one of a text, -f FILE and --lines FILE");
  }
  const ModelTokenizer tokenizer(options.model);
  const auto problems = show_warnings(options.model, conformance_problems(tokenizer));
  if (!options.lines.empty()) {
    tokenize_lines(tokenizer, options);
  } else {
    const std::string text = has_text ? options.text : read_text(options.file);
    const auto start = std::chrono::steady_clock::now();
    const auto ids = tokenizer.encode(text, options.tokenize());
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    if (options.count) {
      print_count(ids.size(), text.size(), time.count(), options.common.quiet);
      return;
    }
    options.common.json ? show_json(to_json(tokenizer, ids, problems))
                        : print_tokens(tokenizer, ids);
  }
  std::fflush(stdout);
}

}  // namespace

void add_tokenize(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("tokenize", "show the tokens of a text");
  show_usage(*command,
             "Example:  nibble tokenize model.gguf \"Once upon a time\"\n\n"
             "Usage:    nibble tokenize MODEL TEXT | -f FILE | --lines FILE [OPTIONS]");
  command
      ->add_option("MODEL", options->model,
                   "GGUF (a vocabulary is enough), Hugging Face directory, tokenizer.json or "
                   "tokenizer.model")
      ->required()
      ->type_name("");
  CLI::Option* text = command->add_option("TEXT", options->text, "the text")->type_name("");
  command->add_option("-f,--file", options->file, "a file with the text")->type_name("FILE");
  command
      ->add_option("--lines", options->lines,
                   "a file with many: each line one as a JSON string; prints an array of ids for "
                   "each, or with --count of all together")
      ->type_name("FILE");
  command->add_flag("--no-special", options->no_special,
                    "without what the model wants around a text, such as its BOS token");
  command->add_flag("--plain", options->plain,
                    "special tokens written in the text are text, not those tokens");
  command->add_flag("--count", options->count, "only how many there are, and how fast");
  options->common.add_output_to(*command);
  command->callback([options, text] { run(*options, text->count() > 0); });
}

}  // namespace nibble::cli
