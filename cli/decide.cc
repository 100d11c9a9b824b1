#include "cli/decide.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "nibble/readable.h"

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
  show_json(json);
}

std::string sentence(Outcome outcome, std::string_view figure, bool is_lower_better,
                     std::string_view within) {
  const auto compared = [&](bool is_lower) {
    return fmt::format("its {} is {} than the other's", figure, is_lower ? "lower" : "higher");
  };
  switch (outcome) {
    case Outcome::kBetter:
      return "better: " + compared(is_lower_better);
    case Outcome::kWorse:
      return "worse: " + compared(!is_lower_better);
    case Outcome::kEqual:
      return fmt::format("equal within {}", within);
    case Outcome::kUndecided:
      break;
  }
  return "undecided: there is too little to tell";
}

void print(const Decision& decision, double within) {
  fmt::print("{}\n",
             sentence(decision.outcome, "perplexity", true, fmt::format("{:g} %", 100 * within)));
  fmt::print("ratio of perplexities {:.5f}", decision.ratio);
  if (std::isfinite(decision.high))
    fmt::print(", {:.5f} to {:.5f} at 95 %", decision.low, decision.high);
  fmt::print("\n{} of {} windows read, {:.1f} %, {} tokens by each model\n", decision.windows,
             decision.available_windows, 100 * decision.share(), decision.tokens);
  std::fflush(stdout);
  fmt::print(stderr, "{:.2f} s, peak memory {}\n", decision.seconds,
             readable_bytes(peak_memory_bytes()));
}

Json task_json(const TaskDecision& decision, const Task& task, double within) {
  return {{"name", task.name()},
          {"file", task.file()},
          {"score", decision.score},
          {"decision",
           {{"outcome", outcome_name(decision.outcome)},
            {"within", within},
            {"difference", decision.difference},
            {"low", decision.low},
            {"high", decision.high},
            {"items", decision.items},
            {"available_items", decision.available_items},
            {"tokens", decision.tokens},
            {"share", decision.share()}}},
          {"seconds", decision.seconds}};
}

void print_task(const TaskDecision& decision, const Task& task, double within) {
  fmt::print("{}: {}\n", task.name(),
             sentence(decision.outcome, decision.score, false,
                      fmt::format("{:g} percentage points", 100 * within)));
  fmt::print("difference of {} {:+.2f} points, {:+.2f} to {:+.2f} at 95 %\n", decision.score,
             100 * decision.difference, 100 * decision.low, 100 * decision.high);
  fmt::print("{} of {} items answered, {:.1f} %\n", decision.items, decision.available_items,
             100 * decision.share());
}

}  // namespace

void decide_between(const Model& model, const std::filesystem::path& other, const std::string& text,
                    DecideOptions options, const std::string& within, const LoadOptions& load,
                    bool as_json) {
  options.within = parse_share(within);
  const Decision decision = decide(model, Model(other, as_stored(load)), text, options, load.run);
  if (as_json) return print_json(decision, model, other, options.within);
  print(decision, options.within);
}

void decide_tasks_between(const Model& model, const std::filesystem::path& other,
                          const std::vector<Task>& tasks, TaskDecideOptions options,
                          const std::string& within, const LoadOptions& load, bool as_json) {
  options.within = parse_share(within);
  const Model against(other, as_stored(load));
  Json list = Json::array();
  for (const Task& task : tasks) {
    const TaskDecision decision = decide_task(model, against, task, options, load.run);
    if (as_json) {
      list.push_back(task_json(decision, task, options.within));
    } else {
      print_task(decision, task, options.within);
    }
  }
  if (!as_json) return;
  Json json = {{"model", model.path().string()}, {"against", other.string()}};
  json["tasks"] = list;
  json["peak_memory_bytes"] = peak_memory_bytes();
  show_json(json);
}

}  // namespace nibble::cli
