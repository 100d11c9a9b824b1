// nibble::plan_types and nibble::quantize_to_goal: texts -> statistics -> sensitivities -> types ->
// file, and for a contract -> measured -> other types, until it is met.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "base/scratch.h"
#include "flow/contract.h"
#include "flow/memory_model.h"
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

// Before a model is loaded.
void begin(TypePlanOptions& options) {
  program_memory_bytes();
  check_plan_options(options);
  check_texts(options);
  hold_texts_back(options);
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
  begin(options);
  const Scratch scratch("plan");
  std::filesystem::create_directories(scratch.path());
  const Model loaded = load_to_plan(model, options.quantize.run);
  calibrate_if_needed(loaded, options, scratch.path() / "statistics.gguf");
  const Planner planner(loaded, options, "plan.recipe");
  if (!options.goal.is_contract()) return planner.plan_for_size();
  return Contract(model, options, planner, scratch.path()).keep("plan.gguf").plan;
}

GoalResult quantize_to_goal(const std::filesystem::path& model, const std::filesystem::path& output,
                            const TypePlanOptions& asked) {
  TypePlanOptions options = asked;
  begin(options);
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
