// nibble embed MODEL TEXT... | -f FILE
#include "nibble/embed.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "nibble/conformance.h"
#include "nibble/error.h"

namespace nibble::cli {
namespace {

// More columns than that are no table to look at.
constexpr size_t kMostCompared = 12;

struct Options {
  CommonOptions common;
  LoadOptions load;
  std::filesystem::path model, file;
  std::vector<std::string> texts;
  std::string pooling;
  bool no_normalize = false, similarity = false;
};

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  const std::string text = read_text(path);
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back(std::move(line));
    begin = end + 1;
  }
  return lines;
}

// An array, or of several vectors an array of arrays.
nlohmann::json to_json(const Embedding& embedding, Pooling pooling) {
  if (pooling != Pooling::kNone) return embedding.values;
  nlohmann::json rows = nlohmann::json::array();
  for (auto row = embedding.values.begin(); row != embedding.values.end();
       row += embedding.dimensions)
    rows.push_back(std::vector<float>(row, row + embedding.dimensions));
  return rows;
}

// One line, with as many digits as a float needs.
void print_vectors(const Embedding& embedding, Pooling pooling) {
  const auto row = [&](int64_t first) {
    const auto begin = embedding.values.begin() + first * embedding.dimensions;
    return fmt::format("[{}]", fmt::join(begin, begin + embedding.dimensions, ","));
  };
  if (pooling != Pooling::kNone) {
    fmt::print("{}\n", row(0));
    return;
  }
  std::vector<std::string> rows;
  for (int64_t i = 0; i < embedding.tokens; ++i) rows.push_back(row(i));
  fmt::print("[{}]\n", fmt::join(rows, ","));
}

nlohmann::json similarities(const std::vector<Embedding>& embeddings) {
  nlohmann::json rows = nlohmann::json::array();
  for (const Embedding& a : embeddings) {
    nlohmann::json row = nlohmann::json::array();
    for (const Embedding& b : embeddings) row.push_back(cosine_similarity(a.values, b.values));
    rows.push_back(row);
  }
  return rows;
}

void print_similarities(const std::vector<std::string>& texts,
                        const std::vector<Embedding>& embeddings) {
  for (size_t i = 0; i < texts.size(); ++i) {
    fmt::print("{:>4}", i + 1);
    for (const Embedding& other : embeddings)
      fmt::print("  {:>6.3f}", cosine_similarity(embeddings[i].values, other.values));
    fmt::print("  {}\n", texts[i]);
  }
}

nlohmann::ordered_json report(const Options& options, Pooling pooling,
                              const std::vector<std::string>& texts,
                              const std::vector<Embedding>& embeddings,
                              const std::vector<std::string>& problems) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (size_t i = 0; i < texts.size(); ++i) {
    list.push_back({{"text", texts[i]},
                    {"tokens", embeddings[i].tokens},
                    {"embedding", to_json(embeddings[i], pooling)}});
  }
  nlohmann::ordered_json json = {{"model", options.model.string()},
                                 {"pooling", pooling_name(pooling)},
                                 {"normalized", !options.no_normalize},
                                 {"dimensions", embeddings.front().dimensions},
                                 {"embeddings", list}};
  if (options.similarity) json["similarity"] = similarities(embeddings);
  json["conformance_problems"] = problems;
  return json;
}

void run(const Options& options) {
  if (options.texts.empty() == options.file.empty())
    throw Error(ErrorCode::kUsage, "expected texts or -f FILE, one of the two");
  const auto texts = options.file.empty() ? options.texts : lines_of(options.file);
  if (texts.empty())
    throw Error(ErrorCode::kUsage, options.file.string() + ": has no line with a text");
  LoadOptions load = options.load;
  load.run = options.common.run();
  const Model model(options.model, load);
  const auto problems = show_warnings(options.model, conformance_problems(model));
  const Pooling pooling =
      options.pooling.empty() ? pooling_of(model) : *pooling_from_name(options.pooling);
  if (options.similarity && pooling == Pooling::kNone)
    throw Error(ErrorCode::kUsage,
                "--similarity compares texts, which have one vector each: not "
                "with --pooling none");
  const bool has_few = texts.size() > 1 && texts.size() <= kMostCompared;
  const bool shows_table = !options.common.json && pooling != Pooling::kNone &&
                           (options.similarity || (has_few && isatty(STDOUT_FILENO) != 0));
  const EmbedOptions wanted = {
      .pooling = pooling, .normalize = !options.no_normalize, .cancelled = &interrupted()};
  std::vector<Embedding> embeddings;
  for (const std::string& text : texts) {
    Embedding embedding = embed(model, text, wanted);
    if (options.common.json || shows_table) {
      embeddings.push_back(std::move(embedding));
    } else {
      print_vectors(embedding, pooling);
    }
  }
  if (options.common.json) show_json(report(options, pooling, texts, embeddings, problems));
  if (shows_table) print_similarities(texts, embeddings);
  std::fflush(stdout);
}

}  // namespace

void add_embed(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("embed", "turn texts into vectors");
  show_usage(
      *command,
      "Example:  nibble embed model.gguf \"a cat\" \"a kitten\" \"a tax form\" --similarity\n\n"
      "Usage:    nibble embed MODEL TEXT... | -f FILE [OPTIONS]");
  add_model_option(*command, options->model);
  command->add_option("TEXT", options->texts, "texts")->type_name("");
  command->add_option("-f,--file", options->file, "a file with a text in each line")
      ->type_name("FILE");
  command
      ->add_option("--pooling", options->pooling,
                   "how tokens' vectors become a text's: mean, cls (the first), last, none "
                   "(default: the model's own)")
      ->check(CLI::IsMember({"none", "mean", "cls", "last"}))
      ->type_name("HOW");
  command->add_flag("--no-normalize", options->no_normalize,
                    "leave vectors as long as they are instead of 1");
  command->add_flag("--similarity", options->similarity,
                    "show the cosine of every two texts (also shown where a few texts are embedded "
                    "at a terminal)");
  add_load_options(*command, options->load);
  options->common.add_to(*command);
  command->callback([options] { run(*options); });
}

}  // namespace nibble::cli
