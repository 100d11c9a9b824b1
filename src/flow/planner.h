// Planner: a model whose tensors' sensitivities are known, and the plans that follow from them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/model.h"
#include "flow/plan_outputs.h"
#include "flow/quantize_request.h"
#include "flow/sensitivity.h"
#include "flow/speed_model.h"
#include "nibble/plan.h"

namespace nibble {

// Float models quantized to q8_0 in memory: as good for measuring, and several times as fast.
Model load_to_plan(const std::filesystem::path& path, const RunOptions& run);

// Error kUsage for goals and options that contradict each other.
void check_plan_options(const TypePlanOptions& options);

class Planner {
 public:
  // Measures what is not known yet with `model`, which outlives the object: as load_to_plan() gives
  // it. The options have statistics, if there are any. `name`: what recipes are called, X.recipe.
  Planner(const Model& model, const TypePlanOptions& options, std::string name);

  // A plan within the goal's size, with the least loss.
  TypePlan plan_for_size() const;
  // The smallest one that is predicted to lose at most so much.
  TypePlan plan_for_loss(double kl) const;

  const ModelSource& source() const { return model_.parts().source; }
  const std::string& recipe_name() const { return name_; }

 private:
  struct Item {
    size_t tensor;             // of the source
    std::vector<DType> types;  // from small to large
    std::vector<uint64_t> bytes;
    std::vector<double> losses;
    std::vector<double> seconds;  // of a token, where speed matters
  };
  // The types of all items: indices into each one's.
  using Choice = std::vector<size_t>;

  void make_items();
  void measure_speeds();
  std::optional<Choice> cheapest(double limit, bool limits_loss) const;
  std::optional<Choice> solve(double limit, bool limits_loss, double seconds_cost) const;
  double seconds_of(const Choice& choice) const;
  double loss_of(const Choice& choice) const;
  uint64_t bytes_of(const Choice& choice) const;  // of the items' tensors
  Choice smallest() const;
  TypePlan within_file(uint64_t bytes, const std::string& what) const;
  TypePlan within_memory() const;
  TypePlan describe(const Choice& choice) const;
  std::string recipe_of(const Choice& choice) const;
  PlannedOutput output_of(const std::string& recipe) const;
  uint64_t largest_memory(const TypePlan& plan) const;

  TypePlanOptions options_;
  std::string name_;
  const Model& model_;
  std::unique_ptr<QuantizeRequest> request_;
  std::vector<Item> items_;
};

}  // namespace nibble
