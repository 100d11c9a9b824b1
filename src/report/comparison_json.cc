#include "report/comparison_json.h"

#include <cmath>

#include "base/error.h"
#include "base/json.h"

namespace nibble {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr uint64_t kFormat = 1;

// --- to JSON: what is not a number becomes null by itself ---

OrderedJson to_json(const Estimate& estimate) {
  return {{"mean", estimate.value},
          {"error", estimate.error},
          {"low", estimate.low},
          {"high", estimate.high}};
}

OrderedJson to_json(const Divergence& divergence) {
  OrderedJson kl = to_json(divergence.kl_divergence);
  kl["percentiles"] = divergence.kl_percentiles.values;
  return {{"kl_divergence", kl},
          {"agreement", to_json(divergence.agreement)},
          {"rms_delta_p", to_json(divergence.rms_delta_p)},
          {"perplexity_ratio", to_json(divergence.ratio)}};
}

OrderedJson to_json(const LayerView& view) {
  OrderedJson layers = OrderedJson::array(), tensors = OrderedJson::array();
  for (const LayerDifference& layer : view.layers)
    layers.push_back({{"cosine", layer.cosine}, {"relative_error", layer.relative_error}});
  for (const TensorDifference& tensor : view.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"type", dtype_name(tensor.type)},
                       {"reference_type", dtype_name(tensor.reference_type)},
                       {"bytes", tensor.bytes},
                       {"relative_error", tensor.relative_error},
                       {"weighted_error", tensor.weighted_error}});
  }
  return {{"tokens", view.tokens}, {"layers", layers}, {"tensors", tensors}};
}

OrderedJson to_json(const ComparedSpeed& speed) {
  return {{"prompt", speed.prompt},
          {"generation", speed.generation},
          {"peak_memory_bytes", speed.peak_memory_bytes},
          {"prompt_tokens", speed.prompt_tokens},
          {"generated_tokens", speed.generated_tokens}};
}

OrderedJson to_json(const ComparedModel& model) {
  OrderedJson json = {{"name", model.name},
                      {"path", model.path.string()},
                      {"fingerprint", model.fingerprint},
                      {"type", model.type},
                      {"bytes", model.bytes},
                      {"weights", model.weights},
                      {"bits_per_weight", model.bits_per_weight},
                      {"perplexity", to_json(model.perplexity)}};
  if (model.divergence) json["divergence"] = to_json(*model.divergence);
  json["layers"] = to_json(model.layers);
  json["continuations"] = OrderedJson::array();
  for (const Continuation& c : model.continuations) {
    json["continuations"].push_back({{"same", c.same},
                                     {"differing", c.differing},
                                     {"rest", c.rest},
                                     {"same_tokens", c.same_tokens}});
  }
  json["tasks"] = OrderedJson::array();
  for (const ComparedTask& task : model.tasks) {
    json["tasks"].push_back({{"name", task.name},
                             {"score", task.score},
                             {"mean", task.mean},
                             {"error", task.error},
                             {"items", task.items},
                             {"agreement", task.agreement}});
  }
  if (model.speed) json["speed"] = to_json(*model.speed);
  return json;
}

// --- from JSON ---

// An object inside of another, named as both.
class Reader : public JsonObject {
 public:
  Reader(const Json& object, const std::string& file_name) : JsonObject(object, file_name) {}

  Reader in(const char* key) const { return {require(key), file_name() + ": " + key}; }
  std::optional<Reader> find_in(const char* key) const {
    return find(key) == nullptr ? std::nullopt : std::optional(in(key));
  }
  double number(const char* key) const { return find_float(key).value_or(NAN); }
  int64_t count(const char* key) const { return static_cast<int64_t>(require_uint(key)); }
  const Json& list(const char* key) const {
    const Json& list = require(key);
    if (!list.is_array()) {
      fail(ErrorCode::kInvalidFile, "{}: {}: found {}, expected a list", file_name(), key,
           list.type_name());
    }
    return list;
  }
  template <class Value, class Function>
  std::vector<Value> each(const char* key, const Function& function) const {
    std::vector<Value> values;
    for (const Json& item : list(key)) values.push_back(function(Reader(item, file_name())));
    return values;
  }
  DType dtype(const char* key) const {
    if (const auto type = dtype_from_name(require_string(key))) return *type;
    fail(ErrorCode::kInvalidFile, "{}: {}: expected the name of a type", file_name(), key);
  }
  Estimate estimate(const char* key) const {
    const Reader of = in(key);
    return {of.number("mean"), of.number("error"), of.number("low"), of.number("high")};
  }
};

Divergence divergence_from(const Reader& json) {
  Divergence divergence;
  divergence.kl_divergence = json.estimate("kl_divergence");
  const Reader kl = json.in("kl_divergence");
  const Json& percentiles = kl.list("percentiles");
  auto& values = divergence.kl_percentiles.values;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i >= percentiles.size() || !percentiles[i].is_number())
      fail(ErrorCode::kInvalidFile, "{}: percentiles: expected {} numbers", kl.file_name(),
           values.size());
    values[i] = percentiles[i].get<double>();
  }
  divergence.agreement = json.estimate("agreement");
  divergence.rms_delta_p = json.estimate("rms_delta_p");
  divergence.ratio = json.estimate("perplexity_ratio");
  return divergence;
}

LayerView layers_from(const Reader& json) {
  LayerView view;
  view.tokens = json.count("tokens");
  view.layers = json.each<LayerDifference>("layers", [&](const Reader& layer) {
    return LayerDifference{0, layer.number("cosine"), layer.number("relative_error")};
  });
  for (size_t i = 0; i < view.layers.size(); ++i) view.layers[i].layer = static_cast<int64_t>(i);
  view.tensors = json.each<TensorDifference>("tensors", [](const Reader& tensor) {
    return TensorDifference{tensor.require_string("name"),   tensor.dtype("type"),
                            tensor.dtype("reference_type"),  tensor.require_uint("bytes"),
                            tensor.number("relative_error"), tensor.number("weighted_error")};
  });
  return view;
}

ComparedModel model_from(const Reader& json) {
  ComparedModel model;
  model.name = json.require_string("name");
  model.path = json.require_string("path");
  model.fingerprint = json.require_string("fingerprint");
  model.type = json.require_string("type");
  model.bytes = json.require_uint("bytes");
  model.weights = json.require_uint("weights");
  model.bits_per_weight = json.number("bits_per_weight");
  model.perplexity = json.estimate("perplexity");
  if (const auto divergence = json.find_in("divergence"))
    model.divergence = divergence_from(*divergence);
  model.layers = layers_from(json.in("layers"));
  model.continuations = json.each<Continuation>("continuations", [](const Reader& c) {
    return Continuation{c.require_string("same"), c.require_string("differing"),
                        c.require_string("rest"), c.count("same_tokens")};
  });
  model.tasks = json.each<ComparedTask>("tasks", [](const Reader& task) {
    return ComparedTask{task.require_string("name"), task.require_string("score"),
                        task.number("mean"),         task.number("error"),
                        task.count("items"),         task.number("agreement")};
  });
  if (const auto speed = json.find_in("speed")) {
    model.speed = {speed->number("prompt"), speed->number("generation"),
                   speed->require_uint("peak_memory_bytes"), speed->count("prompt_tokens"),
                   speed->count("generated_tokens")};
  }
  return model;
}

// The JSON of a report of either kind.
std::string_view data_of(std::string_view report) {
  const size_t begin = report.find(kDataBegin);
  if (begin == std::string_view::npos) return report;
  report.remove_prefix(begin + kDataBegin.size());
  return report.substr(0, report.find(kDataEnd));
}

}  // namespace

std::string comparison_json(const Comparison& comparison) {
  OrderedJson json = {
      {"format", kFormat},
      {"version", comparison.version},
      {"machine",
       {{"cpu", comparison.machine.cpu},
        {"isa", comparison.machine.isa},
        {"cpus", comparison.machine.cpus}}},
      {"threads", comparison.threads},
      {"text", {{"name", comparison.text_name}, {"sha256", comparison.text_sha256}}},
      {"protocol", comparison.protocol},
      {"context", comparison.context},
      {"windows", comparison.windows},
      {"scored_tokens", comparison.scored_tokens},
      {"prompts", comparison.prompts},
      {"reference", to_json(comparison.reference)},
      {"models", OrderedJson::array()}};
  for (const ComparedModel& model : comparison.models) json["models"].push_back(to_json(model));
  return json.dump(1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

Comparison parse_comparison(std::string_view report, const std::string& file_name) {
  const Json parsed = parse_json(data_of(report), file_name);
  const Reader json(parsed, file_name);
  if (const uint64_t format = json.require_uint("format"); format != kFormat) {
    fail(ErrorCode::kUnsupported, "{}: a comparison of format {}, expected {}; name another file",
         file_name, format, kFormat);
  }
  Comparison comparison;
  comparison.version = json.require_string("version");
  const Reader machine = json.in("machine");
  comparison.machine = {machine.require_string("cpu"), machine.require_string("isa"),
                        static_cast<int>(machine.count("cpus"))};
  comparison.threads = static_cast<int>(json.count("threads"));
  comparison.text_name = json.in("text").require_string("name");
  comparison.text_sha256 = json.in("text").require_string("sha256");
  comparison.protocol = json.require_string("protocol");
  comparison.context = json.count("context");
  comparison.windows = json.count("windows");
  comparison.scored_tokens = json.count("scored_tokens");
  for (const Json& prompt : json.list("prompts"))
    if (prompt.is_string()) comparison.prompts.push_back(prompt.get<std::string>());
  comparison.reference = model_from(json.in("reference"));
  comparison.models = json.each<ComparedModel>("models", model_from);
  return comparison;
}

}  // namespace nibble
