#include "cli/decide.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace nibble::cli {
namespace {

using Json = nlohmann::ordered_json;

void print_json(const Decision& decision, const Model& model, const std::filesystem::path& other,
                double within) {
  Json json = {{"model", model.path().string()}, {"against", other.string()}};
  // JSON has no infinity; it becomes null.
  json["decision"] = {{"outcome", outcome_name(decision.outcome)},
                      {"within", within},
                      {"ratio", decision.ratio},
                      {"low", decision.low},
                      {"high", decision.high},
                      {"windows", decision.windows},
                      {"available_windows", decision.available_windows},
                      {"tokens", decision.tokens},
                      {"share", decision.share()}};
  json["seconds"] = decision.seconds;
  json["peak_memory_bytes"] = peak_memory_bytes();
  fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
}

std::string sentence(const Decision& decision, double within) {
  switch (decision.outcome) {
    case Outcome::kBetter:
      return "better: its perplexity is lower than the other's";
    case Outcome::kWorse:
      return "worse: its perplexity is higher than the other's";
    case Outcome::kEqual:
      return fmt::format("equal within {:g} %", 100 * within);
    case Outcome::kUndecided:
      break;
  }
  return "undecided: a longer text is needed";
}

void print(const Decision& decision, double within) {
  fmt::print("{}\n", sentence(decision, within));
  fmt::print("ratio of perplexities {:.5f}", decision.ratio);
  if (std::isfinite(decision.high))
    fmt::print(", {:.5f} to {:.5f} at 95 %", decision.low, decision.high);
  fmt::print("\n{} of {} windows read, {:.1f} %, {} tokens by each model\n", decision.windows,
             decision.available_windows, 100 * decision.share(), decision.tokens);
  std::fflush(stdout);
  fmt::print(stderr, "{:.2f} s, peak memory {}\n", decision.seconds,
             readable_bytes(peak_memory_bytes()));
}

}  // namespace

void decide_between(const Model& model, const std::filesystem::path& other, const std::string& text,
                    DecideOptions options, const std::string& within, const CommonOptions& common) {
  options.within = parse_share(within);
  LoadOptions load;
  load.run = common.run();
  const Decision decision = decide(model, Model(other, load), text, options, load.run);
  if (common.json) return print_json(decision, model, other, options.within);
  print(decision, options.within);
}

}  // namespace nibble::cli
