// A quality contract: plans, makes files, measures them on a text held back, and corrects the plan
// by what came out.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/planner.h"
#include "nibble/model.h"
#include "nibble/plan.h"

namespace nibble {

class Contract {
 public:
  // All outlive the object. Files are made in `folder`.
  Contract(const std::filesystem::path& model, const TypePlanOptions& options,
           const Planner& planner, std::filesystem::path folder);

  // Where the smallest file that keeps the contract lies afterwards; the result speaks of it as if
  // it stood at `output`. Error kUsage when none does, with what was measured.
  GoalResult keep(const std::filesystem::path& output);
  std::filesystem::path best() const { return folder_ / "best.gguf"; }

 private:
  double first_target() const;
  // False where the plan for this is one that was tried already.
  bool attempt(double target, const std::filesystem::path& output);
  void measure(const std::filesystem::path& file, ContractAttempt& attempt);
  bool meets(const ContractAttempt& attempt) const;
  std::optional<double> next_target(double target) const;
  [[noreturn]] void refuse() const;

  const std::filesystem::path& model_;
  const TypePlanOptions& options_;
  const Goal& goal_;
  const Planner& planner_;
  std::filesystem::path folder_;
  std::unique_ptr<Model> reference_;
  std::string text_;
  bool is_met_ = false;
  std::vector<std::string> tried_;  // recipes
  GoalResult result_;
};

}  // namespace nibble
