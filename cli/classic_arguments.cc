#include "cli/classic_arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

namespace nibble::cli {
namespace {

constexpr int kMostThreads = 1024;

[[noreturn]] void wrong(const std::string& message) { throw CLI::ValidationError(message); }

bool is_number(const std::string& text) {
  return std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

// As llama-quantize spells it in file names: Q4_K_M. Its list has the aliases first, so that the
// number 15 is Q4_K there.
std::string stock_name(const std::string& text, std::string type) {
  static constexpr auto kAliases = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"q3_k_m", "q3_k"}, {"q4_k_m", "q4_k"}, {"q5_k_m", "q5_k"}});
  if (!is_number(text)) type = text;
  for (const auto& [name, alias] : kAliases) {
    if (is_number(text) && type == name) type = alias;
  }
  for (char& c : type) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return type;
}

int parse_threads(const std::string& text) {
  int threads = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
  if (error != std::errc() || end != text.data() + text.size() || threads < 0 ||
      threads > kMostThreads) {
    wrong("\"" + text + "\" is no number of threads from 0 (all CPUs) to " +
          std::to_string(kMostThreads));
  }
  return threads;
}

}  // namespace

ClassicArguments parse_classic_arguments(const std::filesystem::path& model,
                                         const std::vector<std::string>& rest) {
  ClassicArguments arguments;
  size_t at = 0;
  auto type = find_quantize_type(rest[at]);
  if (!type) {
    arguments.target.path = rest[at++];
    if (at == rest.size()) {
      wrong("\"" + rest[0] +
            "\" is no type (see --help), and no type follows it; write MODEL -t TYPE, or IN.gguf "
            "[OUT.gguf] TYPE");
    }
    type = find_quantize_type(rest[at]);
    if (!type) wrong("\"" + rest[at] + "\" is no type; see --help");
  } else {
    arguments.target.path =
        model.parent_path() / ("ggml-model-" + stock_name(rest[at], *type) + ".gguf");
  }
  arguments.target.type = *type;
  if (++at < rest.size()) arguments.threads = parse_threads(rest[at++]);
  if (at < rest.size()) wrong("\"" + rest[at] + "\" is one argument too many");
  return arguments;
}

}  // namespace nibble::cli
