#include "flow/quantize_request.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/input_file.h"
#include "flow/hf_conformance.h"
#include "flow/key_override.h"
#include "flow/lock_record.h"
#include "text/conformance.h"

namespace nibble {
namespace {

std::optional<DType> optional_type(const std::string& name, const char* option) {
  if (name.empty()) return std::nullopt;
  return require_type(name, option);
}

std::vector<TypeRule> type_rules(const QuantizeOptions& options) {
  std::vector<TypeRule> rules;
  for (const std::string& text : options.tensor_types) rules.emplace_back(text, "--tensor-type");
  if (!options.tensor_type_file.empty()) {
    constexpr uint64_t kLargest = 1 << 20;
    const std::string text = read_text_file(options.tensor_type_file, kLargest);
    for (TypeRule& rule : parse_type_rules(text, options.tensor_type_file.string())) {
      rules.push_back(std::move(rule));
    }
  }
  return rules;
}

PlanOptions plan_options(const QuantizeOptions& options) {
  PlanOptions plan;
  plan.pure = options.pure;
  plan.leave_output = options.leave_output;
  plan.importance = !options.imatrix.empty();
  plan.output = optional_type(options.output_type, "--output-tensor-type");
  plan.token_embedding = optional_type(options.token_embedding_type, "--token-embedding-type");
  plan.rules = type_rules(options);
  return plan;
}

Method method_of(const QuantizeOptions& options) {
  const bool has_matrix = !options.imatrix.empty();
  const bool has_moments =
      has_matrix && options.prune_layers.empty() && has_second_moments(options.imatrix);
  switch (options.method) {
    case Method::kAuto:
      return has_moments ? Method::kGptq : has_matrix ? Method::kWeighted : Method::kNearest;
    case Method::kNearest:
      break;
    case Method::kWeighted:
      if (!has_matrix)
        fail(ErrorCode::kUsage, "the method weighted takes an importance matrix: --imatrix");
      break;
    case Method::kGptq:
      if (!options.prune_layers.empty())
        fail(ErrorCode::kUsage,
             "second moments are those of the whole model: the method gptq and "
             "layers to prune cannot be combined");
      if (!has_moments) {
        fail(ErrorCode::kUsage,
             "{}the method gptq takes second moments: name a file of nibble calibrate --moments "
             "with --imatrix",
             has_matrix ? options.imatrix.string() + ": has none; " : "");
      }
      break;
  }
  return options.method;
}

// The entries under the names that the tensors have after pruning.
void prune_entries(const PrunedLayers& layers, ImportanceMatrix& matrix) {
  decltype(matrix.entries) kept;
  for (auto& [name, values] : matrix.entries) {
    if (auto renamed = layers.rename(name)) kept.emplace(*std::move(renamed), std::move(values));
  }
  matrix.entries = std::move(kept);
}

// From the tokenizer's own files, not from what became of them. Who changes the tokenizer's keys
// wants it to do otherwise.
void set_conformance(const QuantizeOptions& options, ModelSource& model) {
  const bool is_changed = std::ranges::any_of(options.override_keys, [](const std::string& text) {
    return text.starts_with("tokenizer.") || text.starts_with("nibble.tokenizer");
  });
  if (!options.conformance || is_changed) return erase_conformance(model.metadata);
  if (model.hf != nullptr) add_conformance_of(model.hf->folder(), model.metadata);
}

}  // namespace

QuantizeRequest read_request(const QuantizeOptions& options, ModelSource& model) {
  PlanRequest plan;
  plan.types = plan_options(options);
  plan.allow_requantize = options.allow_requantize;
  for (const std::string& text : options.override_keys) plan.overrides.emplace_back(text);
  for (const KeyOverride& key : plan.overrides) key.apply_to(model.metadata);
  set_conformance(options, model);
  ImportanceMatrix matrix = load_importance(options);
  add_importance_keys(options.imatrix, matrix, plan.keys);
  if (!options.prune_layers.empty()) {
    prune_entries(prune_model(model, options.prune_layers), matrix);
  }
  TensorImportance importance(matrix, model.tensors().tensors());
  if (!options.imatrix.empty() && importance.count() == 0) {
    fail(ErrorCode::kInvalidFile,
         "{}: has no entry for any tensor of {}: it was made with another model; leave it out, or "
         "make it anew",
         options.imatrix.string(), model.path.string());
  }
  std::string hash = options.imatrix.empty() ? "" : sha256_of_file(options.imatrix);
  const Method method = method_of(options);
  if (options.scaling == Scaling::kAwq &&
      (method == Method::kNearest || options.prune_layers.size() > 0)) {
    fail(ErrorCode::kUsage,
         "awq scaling takes an importance matrix (--imatrix) and a method that uses it, and all "
         "layers");
  }
  if (options.order != ColumnOrder::kNatural && method != Method::kGptq)
    fail(ErrorCode::kUsage, "columns have an order with the method gptq only");
  QuantizeRequest request = {std::move(plan), {}, std::move(hash), method};
  if (method != Method::kNearest) request.rules.importance = std::move(importance);
  if (method == Method::kGptq)
    request.rules.feedback =
        TensorFeedback(options.imatrix, model.tensors().tensors(), request.rules.importance,
                       options.order == ColumnOrder::kActivation);
  request.rules.effort = options.effort;
  return request;
}

}  // namespace nibble
