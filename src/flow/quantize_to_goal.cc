// nibble::plan_types and nibble::quantize_to_goal: texts -> statistics -> sensitivities -> types ->
// file, and for a contract -> measured -> other types, until it is met.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "flow/planner.h"
#include "nibble/evaluate.h"
#include "nibble/plan.h"
#include "nibble/readable.h"

namespace nibble {
namespace {

constexpr double kHeldBack = 0.2;  // of each text

// The folder beside an output where it keeps what takes long.
class WorkFolder {
 public:
  WorkFolder(const std::filesystem::path& output, bool resume) : path_(output) {
    path_ += ".work";
    std::error_code error;
    if (!resume) std::filesystem::remove_all(path_, error);
    std::filesystem::create_directories(path_, error);
    if (error)
      fail(ErrorCode::kIo, "{}: cannot be made a folder: {}", path_.string(), error.message());
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(const std::string& name) const { return path_ / name; }
  void remove() const {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

 private:
  std::filesystem::path path_;
};

// Cuts the last fifth off at the end of a line, or else of a word.
CalibrationText take_held_back(CalibrationText& text) {
  const auto wanted = static_cast<size_t>(static_cast<double>(text.text.size()) * (1 - kHeldBack));
  size_t at = text.text.find('\n', wanted);
  if (at == std::string::npos) at = text.text.find(' ', wanted);
  if (at == std::string::npos) at = text.text.size();
  CalibrationText rest = {text.name, text.text.substr(at)};
  text.text.resize(at);
  return rest;
}

void hold_texts_back(TypePlanOptions& options) {
  if (!options.goal.is_contract() || !options.held_back.empty()) return;
  for (CalibrationText& text : options.texts) options.held_back.push_back(take_held_back(text));
}

void check_texts(const TypePlanOptions& options) {
  if (options.texts.empty())
    fail(ErrorCode::kUsage, "a goal takes a text, to measure how much each tensor matters");
}

// Statistics of the texts, unless there are some.
void calibrate_if_needed(const Model& model, TypePlanOptions& options,
                         const std::filesystem::path& statistics) {
  if (!options.quantize.imatrix.empty() || options.quantize.method == Method::kNearest) return;
  options.quantize.imatrix = statistics;
  std::error_code ignored;
  if (std::filesystem::exists(statistics, ignored)) return;  // of an earlier call
  CalibrateOptions calibration;
  calibration.context = options.context;
  calibration.moments = options.quantize.method != Method::kWeighted;
  calibrate(model, options.texts, statistics, calibration, options.quantize.run);
}

// For what nobody needs afterwards.
struct ScratchFolder {
  ScratchFolder()
      : path(std::filesystem::temp_directory_path() / fmt::format("nibble-plan-{}", getpid())) {
    std::filesystem::create_directories(path);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::filesystem::path path;
};

// What the contract's figure is at most (or at least), with a confidence of 95 %, on another text
// as long as the one measured: both scatter alike, and their difference by the square root of 2
// more.
struct Bounded {
  double value;
  double bound;
};
Bounded bounded(const Estimate& estimate, bool from_above) {
  // low and high are a two-sided interval: 1.96 standard errors where it takes 1.645 to one side.
  constexpr double kOneSided = 1.645 / 1.96;
  const double half = (estimate.high - estimate.low) / 2 * kOneSided * std::sqrt(2.0);
  return {estimate.value, estimate.value + (from_above ? half : -half)};
}

class Contract {
 public:
  Contract(const std::filesystem::path& model, const TypePlanOptions& options,
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

  // Where the file lies that the result speaks of, as if it stood at `output`.
  std::filesystem::path best() const { return folder_ / "best.gguf"; }

  GoalResult keep(const std::filesystem::path& output) {
    double target = first_target();
    for (int i = 0; i < kContractAttempts; ++i) {
      const bool is_last_chance = i + 1 == kContractAttempts && !is_met_;
      constexpr double kCautious = 0.6;
      attempt(is_last_chance ? target * kCautious : target, output);
      if (i + 1 == kContractAttempts) break;
      const auto next = next_target(target);
      if (!next) break;
      target = *next;
    }
    if (!is_met_) refuse();
    return std::move(result_);
  }

 private:
  // Nothing is known but that disagreement is about the root of the divergence: 0.6 sqrt(KL) on the
  // models that we looked at.
  double first_target() const {
    if (goal_.max_kl > 0) return goal_.max_kl;
    constexpr double kFactor = 0.6;
    const double disagreement = (1 - goal_.min_agreement) / kFactor;
    return disagreement * disagreement;
  }

  void attempt(double target, const std::filesystem::path& output) {
    TypePlan plan = planner_.plan_for_loss(target);
    const auto path = folder_ / "attempt.gguf";
    QuantizeOptions anew = options_.quantize;
    anew.resume = false;
    QuantizeResult quantized =
        quantize(model_, {{planner_.recipe_name(), path, plan.recipe}}, anew);
    LoadOptions load;
    load.run = options_.quantize.run;
    EvaluateOptions how;
    how.context = options_.context;
    how.windows = options_.held_back_windows;
    how.reference_model = reference_.get();
    Evaluation measured;
    {
      const Model candidate(path, load);
      measured = evaluate(candidate, text_, how, options_.quantize.run);
    }
    if (measured.windows < 2)
      fail(ErrorCode::kUsage,
           "the text that is held back has {} window of {} tokens; a contract takes at least 2",
           measured.windows, options_.context);
    ContractAttempt attempt = {plan.file_bytes, plan.predicted_kl,
                               measured.divergence->kl_divergence, measured.divergence->agreement,
                               false};
    attempt.is_met = meets(attempt);
    result_.attempts.push_back(attempt);
    result_.held_back_tokens = measured.scored_tokens;
    if (attempt.is_met && (!is_met_ || attempt.file_bytes < result_.plan.file_bytes)) {
      is_met_ = true;
      result_.kept = result_.attempts.size() - 1;
      quantized.files.front().path = output;
      result_.quantized = std::move(quantized);
      result_.plan = std::move(plan);
      std::filesystem::rename(path, best());
    }
  }

  bool meets(const ContractAttempt& attempt) const {
    if (goal_.max_kl > 0) return bounded(attempt.kl, true).bound <= goal_.max_kl;
    return bounded(attempt.agreement, false).bound >= goal_.min_agreement;
  }

  // The predicted loss that would just meet the contract, by how the last attempt came out; none
  // when another attempt would change next to nothing.
  std::optional<double> next_target(double target) const {
    constexpr double kSame = 0.02, kSlack = 0.995;
    const ContractAttempt& last = result_.attempts.back();
    double factor;
    if (goal_.max_kl > 0) {
      factor = goal_.max_kl / bounded(last.kl, true).bound;
    } else {
      const double disagreement = 1 - bounded(last.agreement, false).bound;
      factor = std::pow((1 - goal_.min_agreement) / std::max(disagreement, 1e-9), 2);
    }
    factor = std::clamp(factor, 0.05, 20.0) * kSlack;
    if (last.is_met && factor < 1 + kSame) return std::nullopt;
    return target * factor;
  }

  [[noreturn]] void refuse() const {
    const auto best = std::ranges::min_element(
        result_.attempts, {}, [](const ContractAttempt& attempt) { return attempt.kl.value; });
    const auto kl = bounded(best->kl, true);
    const auto agreement = bounded(best->agreement, false);
    fail(
        ErrorCode::kUsage,
        "the contract was not met in {} attempts: the nearest file ({}) has a divergence of {:.3g} "
        "(at most {:.3g} with confidence) and an agreement of {:.2f} % (at least {:.2f} %) on {} "
        "tokens held back; ask for less, or give a longer text",
        result_.attempts.size(), readable_bytes(best->file_bytes), kl.value, kl.bound,
        100 * agreement.value, 100 * agreement.bound, result_.held_back_tokens);
  }

  const std::filesystem::path& model_;
  const TypePlanOptions& options_;
  const Goal& goal_;
  const Planner& planner_;
  std::filesystem::path folder_;
  std::unique_ptr<Model> reference_;
  std::string text_;
  bool is_met_ = false;
  GoalResult result_;
};

std::string recipe_name(const std::filesystem::path& output) {
  return output.stem().string() + ".recipe";
}

GoalResult work_towards_goal(const std::filesystem::path& model,
                             const std::filesystem::path& output, TypePlanOptions& options,
                             const WorkFolder& work) {
  GoalResult result;
  {
    const Model loaded = load_to_plan(model, options.quantize.run);
    calibrate_if_needed(loaded, options, work.file("statistics.gguf"));
    const Planner planner(loaded, options, recipe_name(output));
    if (options.goal.is_contract()) {
      Contract contract(model, options, planner, work.path());
      result = contract.keep(output);
      std::filesystem::rename(contract.best(), output);
      return result;
    }
    result.plan = planner.plan_for_size();
  }
  result.quantized =
      quantize(model, {{recipe_name(output), output, result.plan.recipe}}, options.quantize);
  return result;
}

}  // namespace

TypePlan plan_types(const std::filesystem::path& model, const TypePlanOptions& asked) {
  TypePlanOptions options = asked;
  check_plan_options(options);
  check_texts(options);
  hold_texts_back(options);
  const ScratchFolder scratch;
  const Model loaded = load_to_plan(model, options.quantize.run);
  calibrate_if_needed(loaded, options, scratch.path / "statistics.gguf");
  const Planner planner(loaded, options, "plan.recipe");
  if (!options.goal.is_contract()) return planner.plan_for_size();
  return Contract(model, options, planner, scratch.path).keep("plan.gguf").plan;
}

GoalResult quantize_to_goal(const std::filesystem::path& model, const std::filesystem::path& output,
                            const TypePlanOptions& asked) {
  TypePlanOptions options = asked;
  check_plan_options(options);
  check_texts(options);
  hold_texts_back(options);
  const WorkFolder work(output, options.quantize.resume);
  if (options.sensitivity.empty()) options.sensitivity = work.file("sensitivity.jsonl");
  try {
    GoalResult result = work_towards_goal(model, output, options, work);
    work.remove();
    return result;
  } catch (const Error& error) {
    const bool may_go_on = error.code() == ErrorCode::kCancelled ||
                           error.code() == ErrorCode::kNoSpace || error.code() == ErrorCode::kIo;
    if (!may_go_on) work.remove();
    throw;
  }
}

}  // namespace nibble
