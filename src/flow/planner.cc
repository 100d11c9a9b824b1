#include "flow/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/error.h"
#include "base/sha256.h"
#include "codec/codec.h"
#include "flow/kv_type.h"
#include "flow/lock_record.h"
#include "flow/memory_model.h"
#include "flow/model_fingerprint.h"
#include "flow/quantize_report.h"
#include "flow/run_support.h"
#include "model/roles.h"
#include "model/tensor_shapes.h"
#include "nibble/readable.h"
#include "plan/budget.h"

namespace nibble {
namespace {

constexpr std::string_view kDefaultTypes[] = {"iq1_s", "iq1_m",   "iq2_xxs", "iq2_xs", "iq2_s",
                                              "q2_k",  "iq3_xxs", "iq3_s",   "q3_k",   "iq4_xs",
                                              "q4_k",  "q5_k",    "q6_k",    "q8_0"};
// Of rows that no block of 256 divides.
constexpr DType kSmallBlockTypes[] = {DType::kIQ4_NL, DType::kQ4_1, DType::kQ5_0, DType::kQ5_1,
                                      DType::kQ8_0};

std::vector<DType> types_of(const TypePlanOptions& options) {
  std::vector<DType> types;
  for (const std::string& name : options.types.empty() ? default_plan_types() : options.types)
    types.push_back(require_type(name, "--types"));
  return types;
}

// What a tensor can become, smallest first: blocks that divide its rows, small ones too where some
// of those that were asked for do not, and at last what it is.
std::vector<DType> possible_types(const TensorInfo& tensor, const std::vector<DType>& types) {
  const auto fits = [&](DType type) { return tensor.shape.columns() % block_weights(type) == 0; };
  std::vector<DType> possible;
  std::ranges::copy_if(types, std::back_inserter(possible), fits);
  if (possible.size() < types.size()) {
    for (const DType type : kSmallBlockTypes) {
      if (fits(type) && std::ranges::find(possible, type) == possible.end())
        possible.push_back(type);
    }
  }
  std::erase_if(possible, [&](DType type) {
    return type != tensor.type && bits_per_weight(type) >= bits_per_weight(tensor.type);
  });
  if (std::ranges::find(possible, tensor.type) == possible.end()) possible.push_back(tensor.type);
  std::ranges::stable_sort(possible, {}, bits_per_weight);
  return possible;
}

uint64_t bytes_as(TensorInfo tensor, DType type) {
  tensor.type = type;
  return tensor.bytes();
}

// The texts' tokens, one after another: what sensitivity is measured on.
std::vector<uint32_t> tokens_of(const Model& model, const std::vector<CalibrationText>& texts,
                                int64_t wanted) {
  std::vector<uint32_t> tokens;
  for (const CalibrationText& text : texts) {
    for (const uint32_t token : model.tokenize(text.text, tokens.empty())) tokens.push_back(token);
    if (static_cast<int64_t>(tokens.size()) >= wanted) break;
  }
  if (static_cast<int64_t>(tokens.size()) > wanted) tokens.resize(static_cast<size_t>(wanted));
  return tokens;
}

std::string about(const Model& model, const TypePlanOptions& options,
                  const QuantizeRequest& request, const SensitivityOptions& sensitivity) {
  std::string types;
  for (const DType type : sensitivity.types)
    types += fmt::format("{}{}", types.empty() ? "" : ",", dtype_name(type));
  const auto text = std::as_bytes(std::span(sensitivity.tokens));
  const nlohmann::ordered_json json = {{"nibble_sensitivity", 1},
                                       {"model", model_fingerprint(model.parts().source.files())},
                                       {"statistics", request.imatrix_sha256},
                                       {"method", method_name(request.method)},
                                       {"effort", effort_name(options.quantize.effort)},
                                       {"types", types},
                                       {"tokens", hex(sha256(text))},
                                       {"context", sensitivity.context}};
  return json.dump();
}

}  // namespace

std::vector<std::string> default_plan_types() {
  return {std::begin(kDefaultTypes), std::end(kDefaultTypes)};
}

Model load_to_plan(const std::filesystem::path& path, const RunOptions& run) {
  LoadOptions options;
  options.run = run;
  const ModelSource source = open_model(path, keep_no_blocks);
  const bool is_float = std::ranges::all_of(source.tensors().tensors(), [](const auto& tensor) {
    return codec(tensor.type).domain == Domain::kFloat;
  });
  if (is_float) options.type = "q8_0";
  return Model(path, options);
}

void check_plan_options(const TypePlanOptions& options) {
  const Goal& goal = options.goal;
  const int kinds = (goal.bytes > 0) + (goal.bits_per_weight > 0) + (goal.memory > 0) +
                    (goal.max_kl > 0) + (goal.min_agreement > 0);
  if (!goal.is_set() || kinds > 1) {
    fail(
        ErrorCode::kUsage,
        "a plan takes one goal: a size, bits per weight, memory, a divergence or an agreement, and "
        "beside it or alone a speed; found {}",
        kinds);
  }
  if (goal.min_agreement >= 1)
    fail(ErrorCode::kUsage, "an agreement of {} cannot be shown on any text; expected less than 1",
         goal.min_agreement);
  if (!options.quantize.prune_layers.empty() || options.quantize.keep_split ||
      options.quantize.pure)
    fail(ErrorCode::kUsage, "a goal goes with neither pruned layers nor split outputs nor --pure");
  if (options.sensitivity_tokens < options.context)
    fail(ErrorCode::kUsage, "sensitivity takes at least one window of {} tokens, found {}",
         options.context, options.sensitivity_tokens);
}

Planner::Planner(const Model& model, const TypePlanOptions& options, std::string name)
    : options_(options), name_(std::move(name)), model_(model) {
  request_ =
      std::make_unique<QuantizeRequest>(read_request(options_.quantize, model.parts().source));
  make_items();
  if (options_.goal.min_speed > 0) measure_speeds();
}

// One for each matrix that can be quantized and whose type nothing else decides.
void Planner::make_items() {
  const auto& tensors = source().tensors().tensors();
  SensitivityOptions sensitivity;
  sensitivity.tokens = tokens_of(model_, options_.texts, options_.sensitivity_tokens);
  sensitivity.text_name = options_.texts.empty() ? "the text" : options_.texts.front().name;
  sensitivity.context = options_.context;
  const std::vector<DType> asked = types_of(options_);
  std::vector<size_t> chosen;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!is_quantizable(tensors[i])) continue;
    const auto fixed = fixed_type(tensors[i], tensors, request_->plan.types);
    const auto types = fixed ? std::vector<DType>{*fixed} : possible_types(tensors[i], asked);
    items_.push_back({i, types, {}, {}, {}});
    for (const DType type : types) items_.back().bytes.push_back(bytes_as(tensors[i], type));
    if (types.size() > 1) chosen.push_back(i);
    for (const DType type : types) {
      if (std::ranges::find(sensitivity.types, type) == sensitivity.types.end() && types.size() > 1)
        sensitivity.types.push_back(type);
    }
  }
  if (chosen.empty())
    fail(ErrorCode::kUsage, "{}: there is no tensor whose type could be chosen",
         source().path.string());
  SensitivityFile file(options_.sensitivity, about(model_, options_, *request_, sensitivity));
  const auto known = measure_sensitivity(model_, chosen, request_->rules, sensitivity, file,
                                         options_.quantize.run);
  auto next = known.begin();
  for (Item& item : items_) {
    item.losses.assign(item.types.size(), 0.0);
    if (item.types.size() == 1) continue;
    for (size_t k = 0; k < item.types.size(); ++k)
      item.losses[k] = item.types[k] == tensors[item.tensor].type ? 0 : next->loss(item.types[k]);
    ++next;
  }
}

void Planner::measure_speeds() {
  const Model::Parts& parts = model_.parts();
  SpeedModel speed(parts.config, parts.weights->vocab_size(), *parts.pool);
  const KvTypes kv_types = kv_types_from_name(options_.goal.kv_type);
  uint64_t types = 0;
  for (const Item& item : items_) types += item.types.size();
  Phase phase(options_.quantize.run, "measuring speeds", "types", types);
  // A list of one tensor would be taken for a tied model's.
  TensorInfo output = source().tensors().tensors().front();
  output.name = gguf_name({Role::kOutput});
  output.shape = {{32, 1, 1, 1}, 2};
  output.type = DType::kF32;
  const bool tied = is_tied(source().tensors().tensors());
  for (Item& item : items_) {
    for (const DType type : item.types) {
      TensorInfo tensor = source().tensors().tensors()[item.tensor];
      tensor.type = type;
      const TensorInfo alone[] = {tensor, output};
      item.seconds.push_back(
          speed.generation_seconds(std::span(alone).first(tied ? 1 : 2), kv_types, 0));
      phase.advance(1);
    }
  }
}

double Planner::loss_of(const Choice& choice) const {
  double loss = 0;
  for (size_t i = 0; i < items_.size(); ++i) loss += items_[i].losses[choice[i]];
  return loss;
}

double Planner::seconds_of(const Choice& choice) const {
  double seconds = 0;
  for (size_t i = 0; i < items_.size(); ++i) seconds += items_[i].seconds[choice[i]];
  return seconds;
}

uint64_t Planner::bytes_of(const Choice& choice) const {
  uint64_t bytes = 0;
  for (size_t i = 0; i < items_.size(); ++i) bytes += items_[i].bytes[choice[i]];
  return bytes;
}

Planner::Choice Planner::smallest() const { return Choice(items_.size(), 0); }

// `seconds_cost`: what a second counts beside the cost.
std::optional<Planner::Choice> Planner::solve(double limit, bool limits_loss,
                                              double seconds_cost) const {
  std::vector<std::vector<BudgetOption>> budget;
  for (const Item& item : items_) {
    auto& options = budget.emplace_back();
    for (size_t k = 0; k < item.types.size(); ++k) {
      const auto bytes = static_cast<double>(item.bytes[k]);
      const double more = seconds_cost > 0 ? seconds_cost * item.seconds[k] : 0;
      if (limits_loss) {
        options.push_back({item.losses[k], bytes + more});
      } else {
        options.push_back({bytes, item.losses[k] + more});
      }
    }
  }
  auto choice = choose_within(budget, limit);
  if (!choice) return std::nullopt;
  return std::move(choice->options);
}

// The best choice within the limit that is fast enough: seconds cost as little as makes it so.
std::optional<Planner::Choice> Planner::cheapest(double limit, bool limits_loss) const {
  auto choice = solve(limit, limits_loss, 0);
  const double most = options_.goal.min_speed > 0 ? 1 / options_.goal.min_speed : 0;
  if (most == 0 || !choice || seconds_of(*choice) <= most) return choice;
  constexpr double kMost = 1e15;
  auto fastest = solve(limit, limits_loss, kMost);
  if (!fastest || seconds_of(*fastest) > most) {
    fail(ErrorCode::kUsage,
         "a speed of {:g} tokens per second is not possible here: within the other limits the "
         "fastest choice of types makes {:.3g}",
         options_.goal.min_speed, 1 / seconds_of(*fastest));
  }
  double low = 1e-9, high = kMost;
  constexpr int kHalvings = 40;
  for (int i = 0; i < kHalvings && high / low > 1.001; ++i) {
    const double middle = std::sqrt(low * high);
    auto between = solve(limit, limits_loss, middle);
    if (seconds_of(*between) <= most) {
      high = middle;
      fastest = std::move(between);
    } else {
      low = middle;
    }
  }
  return fastest;
}

TypePlan Planner::plan_for_loss(double kl) const {
  const auto choice = cheapest(kl, true);
  if (!choice) {  // only the types that users insist on can be in the way: theirs are not counted
    fail(ErrorCode::kUsage, "a loss of {:g} is not possible", kl);
  }
  return describe(*choice);
}

TypePlan Planner::plan_for_size() const {
  const Goal& goal = options_.goal;
  if (goal.bytes > 0) return within_file(goal.bytes, readable_bytes(goal.bytes));
  if (goal.memory > 0) return within_memory();
  const TypePlan least = describe(smallest());
  uint64_t weights = 0, tensors = 0;
  for (const TensorInfo& tensor : source().tensors().tensors()) weights += tensor.shape.count();
  for (const TypePlan::Tensor& tensor : least.tensors) tensors += tensor.bytes;
  const uint64_t others = tensors - bytes_of(smallest());  // norms, which become f32
  const double bits = goal.bits_per_weight > 0 ? goal.bits_per_weight : 64;
  const double limit = bits * static_cast<double>(weights) / 8 - static_cast<double>(others);
  const auto choice = cheapest(limit, false);
  if (!choice) {
    fail(ErrorCode::kUsage,
         "{:g} bits per weight are not possible: the smallest choice of types has {:.3f}", bits,
         least.bits_per_weight);
  }
  return describe(*choice);
}

// What is not tensors depends on the recipe's length: what it takes with one choice is left for the
// next, until that fits.
TypePlan Planner::within_file(uint64_t bytes, const std::string& what) const {
  const TypePlan least = describe(smallest());
  const uint64_t least_tensors = bytes_of(smallest());
  double limit = static_cast<double>(bytes) - static_cast<double>(least.file_bytes - least_tensors);
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; ++i) {
    const auto choice = cheapest(limit, false);
    if (!choice) break;
    TypePlan plan = describe(*choice);
    if (plan.file_bytes <= bytes) return plan;
    limit = static_cast<double>(bytes_of(*choice)) - static_cast<double>(plan.file_bytes - bytes);
  }
  fail(ErrorCode::kUsage,
       "{} is not possible for {}: the smallest choice of types makes a file of {} ({} bytes), "
       "{:.2f} "
       "bits per weight",
       what, source().path.string(), readable_bytes(least.file_bytes), least.file_bytes,
       least.bits_per_weight);
}

uint64_t Planner::largest_memory(const TypePlan& plan) const {
  const Model::Parts& parts = model_.parts();
  const Goal& goal = options_.goal;
  const int64_t context =
      context_to_use(goal.context, parts.config.context_length, parts.path.string());
  std::vector<TensorInfo> tensors = source().tensors().tensors();
  for (size_t i = 0; i < tensors.size(); ++i) tensors[i].type = plan.tensors[i].type;
  return predict_memory(parts.config, tensors, context, kv_types_from_name(goal.kv_type),
                        parts.pool->count(), program_memory_bytes())
      .peak;
}

TypePlan Planner::within_memory() const {
  const uint64_t most = options_.goal.memory;
  TypePlan plan = describe(smallest());
  const uint64_t least = largest_memory(plan);
  if (least > most) {
    fail(ErrorCode::kUsage,
         "{} of memory are not enough: the smallest choice of types takes {}, with {} of context "
         "and "
         "a KV cache of {}; give more, a shorter --context or a smaller --kv",
         readable_bytes(most), readable_bytes(least), options_.goal.context, options_.goal.kv_type);
  }
  // Memory grows with the file, about as fast: between what fits and what does not.
  uint64_t fits = plan.file_bytes, exceeds = plan.file_bytes + 2 * (most - least) + 1;
  constexpr int kTries = 24;
  for (int i = 0; i < kTries && exceeds - fits > most / 2000; ++i) {
    const uint64_t middle = fits + (exceeds - fits) / 2;
    TypePlan between = within_file(middle, readable_bytes(most));
    if (largest_memory(between) <= most) {
      plan = std::move(between);
      fits = middle;
    } else {
      exceeds = middle;
    }
  }
  return plan;
}

// `all` with the type that most tensors have, then a line for each of the others.
std::string Planner::recipe_of(const Choice& choice) const {
  std::map<DType, size_t> count;
  for (size_t i = 0; i < items_.size(); ++i) ++count[items_[i].types[choice[i]]];
  const DType most =
      std::ranges::max_element(count, {}, [](const auto& row) { return row.second; })->first;
  std::string text = fmt::format("all {}\n", dtype_name(most));
  for (size_t i = 0; i < items_.size(); ++i) {
    const DType type = items_[i].types[choice[i]];
    if (type == most) continue;
    text += fmt::format("{} {}\n", source().tensors().tensors()[items_[i].tensor].name,
                        dtype_name(type));
  }
  return text;
}

PlannedOutput Planner::output_of(const std::string& recipe) const {
  PlannedOutput output = plan_output(source(), name_, request_->plan, recipe);
  add_lock_record(source(), options_.quantize, *request_, output);
  return output;
}

TypePlan Planner::describe(const Choice& choice) const {
  TypePlan plan;
  plan.recipe = recipe_of(choice);
  const PlannedOutput output = output_of(plan.recipe);
  const QuantizedFile file =
      report_output({name_, "plan.gguf"}, output, request_->rules.importance);
  plan.file_bytes = file.bytes;
  plan.bits_per_weight = file.bits_per_weight;
  plan.notes = file.warnings;
  for (const auto& tensor : file.tensors)
    plan.tensors.push_back({tensor.name, tensor.type, tensor.bytes, std::nullopt});
  for (size_t i = 0; i < items_.size(); ++i)
    plan.tensors[items_[i].tensor].loss = items_[i].losses[choice[i]];
  plan.predicted_kl = loss_of(choice);
  if (options_.goal.min_speed > 0) plan.predicted_speed = 1 / seconds_of(choice);
  return plan;
}

}  // namespace nibble
