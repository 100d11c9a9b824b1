#include "cli/goal_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/terminal.h"
#include "cli/type_table.h"
#include "nibble/readable.h"

namespace nibble::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kGroup = "Goals (types are chosen tensor by tensor)";

std::vector<CalibrationText> read_texts(const std::vector<std::filesystem::path>& paths) {
  std::vector<CalibrationText> texts;
  for (const auto& path : paths) texts.push_back({path.string(), read_text(path)});
  return texts;
}

Json to_json(const Estimate& estimate) {
  return {{"value", estimate.value},
          {"error", estimate.error},
          {"low", estimate.low},
          {"high", estimate.high}};
}

}  // namespace

void GoalOptions::add_to(CLI::App& command) {
  Goal& goal = plan_.goal;
  const auto add = [&](const char* name, auto& value, const char* help, const char* type) {
    return command.add_option(name, value, help)->type_name(type)->group(kGroup);
  };
  add("--size", size_, "the file has at most so many bytes: 4.1GB, 3900MiB, 4100000B", "SIZE");
  add("--bits", goal.bits_per_weight, "bits per weight of all tensors, at most", "BITS");
  add("--fit", fit_, "running it takes at most so much memory, with --context and --kv", "SIZE");
  add("--context", goal.context, "tokens that --fit makes room for (default: 8192 or the model's)",
      "N");
  add("--kv", goal.kv_type, "type of the KV cache for --fit (default: f16)", "TYPE");
  add("--max-kl", goal.max_kl,
      "the smallest file whose mean KL divergence from the model is at most this, measured on "
      "held-back text",
      "NATS");
  add("--min-agreement", min_agreement_,
      "the smallest file that has the same likeliest token at this share of a held-back text: "
      "0.93, "
      "93%",
      "SHARE");
  add("--min-speed", goal.min_speed, "at least so many tokens per second on this machine", "T/S");
  add("--calibration", texts_,
      "text that statistics and sensitivities are measured on (repeatable); with --imatrix only "
      "sensitivities",
      "FILE");
  add("--held-back", held_back_,
      "text that --max-kl and --min-agreement are measured on (default: the last fifth of each "
      "--calibration)",
      "FILE");
  add("--types", types_, "types to choose from, separated by commas", "TYPE[,TYPE...]");
  add("--sensitivity", plan_.sensitivity,
      "file that keeps the measured sensitivities, for the next goal", "FILE");
  add("--sensitivity-tokens", plan_.sensitivity_tokens,
      "tokens that they are measured on (default: 4096)", "N");
  add("--window", plan_.context, "tokens in a window of these texts (default: 512)", "N");
}

bool GoalOptions::is_set() const {
  return plan_.goal.is_set() || !size_.empty() || !fit_.empty() || !min_agreement_.empty();
}

TypePlanOptions GoalOptions::plan_options(const QuantizeOptions& quantize) const {
  TypePlanOptions options = plan_;
  options.quantize = quantize;
  if (!size_.empty()) options.goal.bytes = parse_bytes(size_);
  if (!fit_.empty()) options.goal.memory = parse_bytes(fit_);
  if (!min_agreement_.empty()) options.goal.min_agreement = parse_share(min_agreement_);
  for (size_t at = 0; at < types_.size();) {
    const size_t end = std::min(types_.find(',', at), types_.size());
    if (end > at) options.types.push_back(types_.substr(at, end - at));
    at = end + 1;
  }
  options.texts = read_texts(texts_);
  options.held_back = read_texts(held_back_);
  return options;
}

Json to_json(const TypePlan& plan) {
  Json tensors = Json::array();
  for (const auto& tensor : plan.tensors) {
    tensors.push_back(
        {{"name", tensor.name}, {"type", dtype_name(tensor.type)}, {"bytes", tensor.bytes}});
    tensors.back()["loss"] = tensor.loss ? Json(*tensor.loss) : Json();
  }
  return {{"file_bytes", plan.file_bytes},
          {"bits_per_weight", plan.bits_per_weight},
          {"predicted_kl", plan.predicted_kl},
          {"predicted_speed", plan.predicted_speed ? Json(*plan.predicted_speed) : Json()},
          {"recipe", plan.recipe},
          {"tensors", tensors},
          {"notes", plan.notes}};
}

Json to_json(const std::vector<ContractAttempt>& attempts, size_t kept) {
  Json json = Json::array();
  for (size_t i = 0; i < attempts.size(); ++i) {
    json.push_back({{"file_bytes", attempts[i].file_bytes},
                    {"predicted_kl", attempts[i].predicted_kl},
                    {"kl_divergence", to_json(attempts[i].kl)},
                    {"kl_divergence_at_most", attempts[i].kl_bound},
                    {"agreement", to_json(attempts[i].agreement)},
                    {"agreement_at_least", attempts[i].agreement_bound},
                    {"is_met", attempts[i].is_met},
                    {"is_kept", i == kept}});
  }
  return json;
}

void print_plan(const TypePlan& plan) {
  TypeTable table;
  for (const auto& tensor : plan.tensors) {
    if (tensor.loss) table.add(tensor.type, tensor.bytes, *tensor.loss);
  }
  table.print();
}

void print_attempts(const GoalResult& result) {
  for (size_t i = 0; i < result.attempts.size(); ++i) {
    const ContractAttempt& attempt = result.attempts[i];
    fmt::print(
        "attempt {}: {}, KL divergence {:.3g} (at most {:.3g}; predicted {:.3g}), agreement "
        "{:.2f} % (at least {:.2f} %): {}\n",
        i + 1, readable_bytes(attempt.file_bytes), attempt.kl.value, attempt.kl_bound,
        attempt.predicted_kl, 100 * attempt.agreement.value, 100 * attempt.agreement_bound,
        !attempt.is_met    ? "not met"
        : i == result.kept ? "met, kept"
                           : "met");
  }
  if (!result.attempts.empty())
    fmt::print("measured on {} tokens that were held back\n", result.held_back_tokens);
}

}  // namespace nibble::cli
