#include "model/hf_rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "base/error.h"

namespace nibble {
namespace {

// The object that says how layers with full attention scale, if there is one.
std::optional<JsonObject> scaling_of(const JsonObject& config) {
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const Json* field = config.find(key);
    if (field == nullptr) continue;
    const JsonObject scaling(*field, config.file_name() + ": \"" + key + "\"");
    const Json* full = scaling.find("full_attention");
    return full == nullptr ? scaling : JsonObject(*full, scaling.file_name());
  }
  return std::nullopt;
}

// Newer files say rope_type, older ones type, and "su" for "longrope".
std::string type_of(const JsonObject& scaling) {
  std::string type = scaling.find_string("type").value_or("default");
  if (const auto newer = scaling.find_string("rope_type")) type = *newer;
  return type == "su" ? "longrope" : type;
}

double base_of(const JsonObject& config) {
  if (const auto scaling = scaling_of(config)) {
    if (const auto base = scaling->find_float("rope_theta")) return *base;
  }
  for (const char* key : {"rope_theta", "rotary_emb_base"}) {
    if (const auto base = config.find_float(key)) return *base;
  }
  return 10000.0;
}

// Of layers that see a window.
std::optional<double> local_base_of(const JsonObject& config) {
  if (const auto base = config.find_float("rope_local_base_freq")) return base;
  const Json* field = config.find("rope_parameters");
  if (field == nullptr) return std::nullopt;
  const JsonObject kinds(*field, config.file_name() + ": \"rope_parameters\"");
  const Json* sliding = kinds.find("sliding_attention");
  if (sliding == nullptr) return std::nullopt;
  return JsonObject(*sliding, kinds.file_name()).find_float("rope_theta");
}

uint64_t dimensions_of(const JsonObject& config, uint64_t head_dim) {
  if (const auto dimensions = config.find_uint("rotary_dim")) return *dimensions;
  std::optional<double> share;
  if (const auto scaling = scaling_of(config)) share = scaling->find_float("partial_rotary_factor");
  for (const char* key : {"partial_rotary_factor", "rotary_pct", "rope_pct"}) {
    if (!share) share = config.find_float(key);
  }
  if (!share) return head_dim;
  if (!(*share > 0 && *share <= 1)) {
    fail(ErrorCode::kInvalidFile, "{}: {} of a head turn, expected more than 0 and at most 1",
         config.file_name(), *share);
  }
  return static_cast<uint64_t>(*share * static_cast<double>(head_dim));
}

// What LongRoPE's paper and Transformers have cosines and sines grow by.
double longrope_magnitude(double factor, double original_context) {
  return factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(original_context));
}

// Positions before scaling, which stand inside or beside the scaling's object.
double original_context_of(const JsonObject& config, const JsonObject& scaling) {
  for (const JsonObject& object : {scaling, config}) {
    if (const auto found = object.find_float("original_max_position_embeddings")) return *found;
  }
  return config.require_float("max_position_embeddings");
}

void add_longrope(const JsonObject& config, const JsonObject& scaling, const std::string& prefix,
                  Metadata& metadata) {
  const double original = original_context_of(config, scaling);
  const double factor = config.require_float("max_position_embeddings") / original;
  const double magnitude =
      scaling.find_float("attention_factor").value_or(longrope_magnitude(factor, original));
  metadata.set(prefix + "rope.scaling.original_context_length", static_cast<uint32_t>(original));
  metadata.set(prefix + "rope.scaling.attn_factor", static_cast<float>(magnitude));
}

void add_yarn(const JsonObject& config, const JsonObject& scaling, const std::string& prefix,
              Metadata& metadata) {
  const double factor = scaling.require_float("factor");
  metadata.set(prefix + "rope.scaling.type", std::string("yarn"));
  metadata.set(prefix + "rope.scaling.factor", static_cast<float>(factor));
  metadata.set(prefix + "rope.scaling.original_context_length",
               static_cast<uint32_t>(original_context_of(config, scaling)));
  for (const auto& [hf, gguf] : {std::pair("beta_fast", "rope.scaling.yarn_beta_fast"),
                                 std::pair("beta_slow", "rope.scaling.yarn_beta_slow")}) {
    if (const auto beta = scaling.find_float(hf))
      metadata.set(prefix + gguf, static_cast<float>(*beta));
  }
  if (const auto magnitude = scaling.find_float("attention_factor")) {
    metadata.set(prefix + "rope.scaling.attn_factor",
                 static_cast<float>(*magnitude / (1.0 + 0.1 * std::log(factor))));
  }
}

void add_scaling(const JsonObject& config, const std::string& prefix, Metadata& metadata) {
  const auto scaling = scaling_of(config);
  if (!scaling) return;
  const std::string type = type_of(*scaling);
  // llama3 becomes the tensor rope_freqs; dynamic changes nothing up to the trained context.
  if (type == "default" || type == "llama3" || type == "dynamic") return;
  if (type == "longrope") return add_longrope(config, *scaling, prefix, metadata);
  if (type == "yarn") return add_yarn(config, *scaling, prefix, metadata);
  if (type != "linear") {
    fail(ErrorCode::kUnsupported,
         "{}: type \"{}\" is not supported; this version knows linear, dynamic, llama3, yarn and "
         "longrope",
         scaling->file_name(), type);
  }
  metadata.set(prefix + "rope.scaling.type", std::string("linear"));
  metadata.set(prefix + "rope.scaling.factor",
               static_cast<float>(scaling->require_float("factor")));
}

// Wavelengths above the old context are stretched by `factor`, those well inside it are kept, in
// between the two are blended (Llama 3.1; Transformers' modeling_rope_utils names it "llama3").
std::vector<float> llama3_factors(const JsonObject& config, const JsonObject& scaling,
                                  uint64_t dimensions) {
  const double factor = scaling.find_float("factor").value_or(8.0);
  const double low = scaling.find_float("low_freq_factor").value_or(1.0);
  const double high = scaling.find_float("high_freq_factor").value_or(4.0);
  const double old_context =
      scaling.find_float("original_max_position_embeddings").value_or(8192.0);
  if (!(factor >= 1.0) || !(low > 0.0) || !(high > low) || !(old_context >= 1.0)) {
    fail(ErrorCode::kInvalidFile,
         "{}: factor {}, low_freq_factor {}, high_freq_factor {} make no sense",
         scaling.file_name(), factor, low, high);
  }
  const double base = base_of(config);
  std::vector<float> factors;
  for (uint64_t i = 0; i < dimensions / 2; ++i) {
    const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(dimensions);
    const double wavelength = 2.0 * std::numbers::pi * std::pow(base, exponent);
    double divisor = 1.0;
    if (wavelength > old_context / low) {
      divisor = factor;
    } else if (wavelength > old_context / high) {
      const double smooth = (old_context / wavelength - low) / (high - low);
      divisor = 1.0 / ((1.0 - smooth) / factor + smooth);
    }
    factors.push_back(static_cast<float>(divisor));
  }
  return factors;
}

std::vector<float> listed_factors(const JsonObject& scaling, const char* key, uint64_t pairs) {
  const Json& list = scaling.require(key);
  std::vector<float> factors;
  if (list.is_array()) {
    for (const Json& factor : list) {
      if (factor.is_number()) factors.push_back(factor.get<float>());
    }
  }
  const bool are_positive = std::ranges::all_of(factors, [](float f) { return f > 0; });
  if (factors.size() == pairs && list.size() == pairs && are_positive) return factors;
  fail(ErrorCode::kInvalidFile, "{}: \"{}\": expected a list of {} numbers above 0",
       scaling.file_name(), key, pairs);
}

}  // namespace

void add_rope_keys(const JsonObject& config, uint64_t head_dim, const std::string& prefix,
                   Metadata& metadata) {
  metadata.set(prefix + "rope.freq_base", static_cast<float>(base_of(config)));
  metadata.set(prefix + "rope.dimension_count",
               static_cast<uint32_t>(dimensions_of(config, head_dim)));
  if (const auto base = local_base_of(config))
    metadata.set(prefix + "rope.freq_base_swa", static_cast<float>(*base));
  add_scaling(config, prefix, metadata);
}

std::vector<std::pair<Role, std::vector<float>>> rope_tensors(const JsonObject& config,
                                                              uint64_t head_dim) {
  const auto scaling = scaling_of(config);
  if (!scaling) return {};
  const uint64_t dimensions = dimensions_of(config, head_dim);
  const std::string type = type_of(*scaling);
  if (type == "llama3") return {{Role::kRopeFreqs, llama3_factors(config, *scaling, dimensions)}};
  if (type != "longrope") return {};
  return {{Role::kRopeFactorsLong, listed_factors(*scaling, "long_factor", dimensions / 2)},
          {Role::kRopeFactorsShort, listed_factors(*scaling, "short_factor", dimensions / 2)}};
}

}  // namespace nibble
