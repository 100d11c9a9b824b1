#include "flow/contract.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "eval/another_text.h"
#include "nibble/evaluate.h"
#include "nibble/readable.h"

namespace nibble {

Contract::Contract(const std::filesystem::path& model, const TypePlanOptions& options,
                   const Planner& planner, std::filesystem::path folder)
    : model_(model),
      options_(options),
      goal_(options.goal),
      planner_(planner),
      folder_(std::move(folder)) {
  LoadOptions load;
  load.run = options.quantize.run;
  reference_ = std::make_unique<Model>(model, load);
  for (const CalibrationText& text : options.held_back) text_ += text.text + "\n";
}

GoalResult Contract::keep(const std::filesystem::path& output) {
  double target = first_target();
  for (int i = 0; i < kContractAttempts; ++i) {
    const bool is_last_chance = i + 1 == kContractAttempts && !is_met_;
    constexpr double kCautious = 0.6;
    if (!attempt(is_last_chance ? target * kCautious : target, output)) {
      if (is_met_) break;
      target *= kCautious;  // so little less to lose was the same plan
      continue;
    }
    if (i + 1 == kContractAttempts) break;
    const auto next = next_target(target);
    if (!next) break;
    target = *next;
  }
  if (!is_met_) refuse();
  return std::move(result_);
}

// Nothing is known but that disagreement is about the root of the divergence: 0.6 sqrt(KL) on the
// models that we looked at.
double Contract::first_target() const {
  if (goal_.max_kl > 0) return goal_.max_kl;
  constexpr double kFactor = 0.6;
  const double disagreement = (1 - goal_.min_agreement) / kFactor;
  return disagreement * disagreement;
}

bool Contract::attempt(double target, const std::filesystem::path& output) {
  TypePlan plan = planner_.plan_for_loss(target);
  if (std::ranges::find(tried_, plan.recipe) != tried_.end()) return false;
  tried_.push_back(plan.recipe);
  const auto path = folder_ / "attempt.gguf";
  QuantizeOptions anew = options_.quantize;
  anew.resume = false;
  QuantizeResult quantized = quantize(model_, {{planner_.recipe_name(), path, plan.recipe}}, anew);
  ContractAttempt& made = result_.attempts.emplace_back();
  made.file_bytes = plan.file_bytes;
  made.predicted_kl = plan.predicted_kl;
  measure(path, made);
  made.is_met = meets(made);
  if (made.is_met && (!is_met_ || plan.file_bytes < result_.plan.file_bytes)) {
    is_met_ = true;
    result_.kept = result_.attempts.size() - 1;
    quantized.files.front().path = output;
    result_.quantized = std::move(quantized);
    result_.plan = std::move(plan);
    std::filesystem::rename(path, best());
  }
  return true;
}

void Contract::measure(const std::filesystem::path& file, ContractAttempt& attempt) {
  LoadOptions load;
  load.run = options_.quantize.run;
  EvaluateOptions how;
  how.context = options_.context;
  how.windows = options_.held_back_windows;
  how.reference_model = reference_.get();
  const Model candidate(file, load);
  const Evaluation found = evaluate(candidate, text_, how, options_.quantize.run);
  if (found.windows < 2)
    fail(ErrorCode::kUsage,
         "the text that is held back has {} window of {} tokens; a contract takes at least 2",
         found.windows, options_.context);
  attempt.kl = found.divergence->kl_divergence;
  attempt.agreement = found.divergence->agreement;
  attempt.kl_bound = bound_on_another_text(found.window_kl, Side::kAbove);
  attempt.agreement_bound = bound_on_another_text(found.window_agreement, Side::kBelow);
  result_.held_back_tokens = found.scored_tokens;
}

bool Contract::meets(const ContractAttempt& attempt) const {
  return goal_.max_kl > 0 ? attempt.kl_bound <= goal_.max_kl
                          : attempt.agreement_bound >= goal_.min_agreement;
}

// The predicted loss that would just meet the contract, by how the last attempt came out; none
// when another attempt would change next to nothing.
std::optional<double> Contract::next_target(double target) const {
  constexpr double kSame = 0.02, kSlack = 0.995;
  const ContractAttempt& last = result_.attempts.back();
  double factor;
  if (goal_.max_kl > 0) {
    factor = goal_.max_kl / last.kl_bound;
  } else {
    const double disagreement = 1 - last.agreement_bound;
    factor = std::pow((1 - goal_.min_agreement) / std::max(disagreement, 1e-9), 2);
  }
  factor = std::clamp(factor, 0.05, 20.0) * kSlack;
  if (last.is_met && factor < 1 + kSame) return std::nullopt;
  return target * factor;
}

void Contract::refuse() const {
  const auto& attempts = result_.attempts;
  const ContractAttempt& nearest = *std::ranges::min_element(
      attempts, {}, [](const ContractAttempt& attempt) { return attempt.kl.value; });
  fail(ErrorCode::kUsage,
       "the contract was not met in {} attempts: the nearest file ({}) has a divergence of {:.3g} "
       "(at most {:.3g} with confidence) and an agreement of {:.2f} % (at least {:.2f} %) on {} "
       "tokens held back; ask for less, or give a longer text",
       attempts.size(), readable_bytes(nearest.file_bytes), nearest.kl.value, nearest.kl_bound,
       100 * nearest.agreement.value, 100 * nearest.agreement_bound, result_.held_back_tokens);
}

}  // namespace nibble
