// What `nibble plan` and `nibble quantize` share: a goal, the texts that it takes, and how plans
// are shown.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "nibble/plan.h"

namespace nibble::cli {

class GoalOptions {
 public:
  void add_to(CLI::App& command);
  // Whether the user named a goal. Throws CLI::ValidationError for one that cannot be read.
  bool is_set() const;
  // With the texts, read.
  TypePlanOptions plan_options(const QuantizeOptions& quantize) const;

 private:
  std::string size_, fit_, min_agreement_, types_;
  std::vector<std::filesystem::path> texts_, held_back_;
  TypePlanOptions plan_;
};

nlohmann::ordered_json to_json(const TypePlan& plan);
nlohmann::ordered_json to_json(const std::vector<ContractAttempt>& attempts, size_t kept);

// How many tensors and bytes each type has, and what they are expected to lose.
void print_plan(const TypePlan& plan);
void print_attempts(const GoalResult& result);

}  // namespace nibble::cli
