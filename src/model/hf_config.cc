#include "model/hf_config.h"

#include <cmath>
#include <numbers>

#include "base/error.h"

namespace nibble {
namespace {

uint64_t head_dim_of(const JsonObject& config) {
  if (const auto head_dim = config.find_uint("head_dim")) return *head_dim;
  const uint64_t hidden = config.require_uint("hidden_size");
  const uint64_t heads = config.require_uint("num_attention_heads");
  if (heads == 0 || hidden % heads != 0) {
    fail(ErrorCode::kInvalidFile,
         "{}: \"hidden_size\" {} is not divisible by \"num_attention_heads\" {}",
         config.file_name(), hidden, heads);
  }
  return hidden / heads;
}

// The type of "rope_scaling": newer files say rope_type, older ones type.
std::string rope_type_of(const JsonObject& scaling) {
  if (const auto type = scaling.find_string("rope_type")) return *type;
  return scaling.find_string("type").value_or("default");
}

void add_rope_scaling(const JsonObject& config, const std::string& prefix, Metadata& metadata) {
  const Json* field = config.find("rope_scaling");
  if (field == nullptr) return;
  const JsonObject scaling(*field, config.file_name() + ": \"rope_scaling\"");
  const std::string type = rope_type_of(scaling);
  if (type == "default" || type == "llama3") return;  // llama3 becomes the tensor rope_freqs
  if (type != "linear") {
    fail(ErrorCode::kUnsupported,
         "{}: type \"{}\" is not supported; this version knows linear and llama3",
         scaling.file_name(), type);
  }
  metadata.set(prefix + "rope.scaling.type", std::string("linear"));
  metadata.set(prefix + "rope.scaling.factor", static_cast<float>(scaling.require_float("factor")));
}

uint32_t u32(const JsonObject& config, const char* key) {
  const uint64_t value = config.require_uint(key);
  if (value == 0 || value > INT32_MAX) {
    fail(ErrorCode::kInvalidFile, "{}: \"{}\": found {}, expected 1 to {}", config.file_name(), key,
         value, INT32_MAX);
  }
  return static_cast<uint32_t>(value);
}

// Of models whose feed-forward networks are experts.
void add_experts(const JsonObject& config, const std::string& prefix, Metadata& metadata) {
  if (config.find("num_local_experts") == nullptr) return;
  metadata.set(prefix + "expert_count", u32(config, "num_local_experts"));
  metadata.set(prefix + "expert_used_count", u32(config, "num_experts_per_tok"));
}

void require_plain(const JsonObject& config, const char* key) {
  if (config.find_bool(key).value_or(false)) {
    fail(ErrorCode::kUnsupported, "{}: \"{}\" is true; biases are not supported by this version",
         config.file_name(), key);
  }
}

}  // namespace

const Arch& arch_from_hf_config(const JsonObject& config) {
  std::string found = config.find_string("model_type").value_or("");
  if (const Json* classes = config.find("architectures");
      classes != nullptr && classes->is_array()) {
    for (const Json& name : *classes) {
      if (!name.is_string()) continue;
      found = name.get<std::string>();
      if (const Arch* arch = find_arch_of_hf_class(found)) return *arch;
    }
  } else if (const Arch* arch = find_arch_of_hf_model_type(found)) {
    return *arch;
  }
  fail(ErrorCode::kUnsupported,
       "{}: \"architectures\": \"{}\" is not supported; this version converts: {}",
       config.file_name(), found, supported_archs());
}

Metadata metadata_from_hf_config(const Arch& arch, const JsonObject& config,
                                 const std::string& model_name) {
  const std::string act = config.find_string("hidden_act").value_or("silu");
  if (act != "silu") {
    fail(ErrorCode::kUnsupported, "{}: \"hidden_act\": \"{}\" is not supported, only \"silu\"",
         config.file_name(), act);
  }
  require_plain(config, "attention_bias");
  require_plain(config, "mlp_bias");
  const std::string prefix = std::string(arch.name) + ".";
  const uint64_t head_dim = head_dim_of(config);
  const uint32_t hidden = u32(config, "hidden_size");
  const uint32_t heads = u32(config, "num_attention_heads");
  Metadata m;
  m.set_origin(config.file_name());
  m.set("general.architecture", std::string(arch.name));
  m.set("general.type", std::string("model"));
  m.set("general.name", model_name);
  m.set(prefix + "block_count", u32(config, "num_hidden_layers"));
  m.set(prefix + "context_length", u32(config, "max_position_embeddings"));
  m.set(prefix + "embedding_length", hidden);
  m.set(prefix + "feed_forward_length", u32(config, "intermediate_size"));
  add_experts(config, prefix, m);
  m.set(prefix + "attention.head_count", heads);
  const bool grouped = config.find("num_key_value_heads") != nullptr;
  m.set(prefix + "attention.head_count_kv", grouped ? u32(config, "num_key_value_heads") : heads);
  m.set(prefix + "attention.layer_norm_rms_epsilon",
        static_cast<float>(config.require_float("rms_norm_eps")));
  m.set(prefix + "rope.freq_base",
        static_cast<float>(config.find_float("rope_theta").value_or(10000.0)));
  m.set(prefix + "rope.dimension_count", static_cast<uint32_t>(head_dim));
  m.set(prefix + "vocab_size", u32(config, "vocab_size"));
  if (head_dim * heads != hidden) {
    m.set(prefix + "attention.key_length", static_cast<uint32_t>(head_dim));
    m.set(prefix + "attention.value_length", static_cast<uint32_t>(head_dim));
  }
  add_rope_scaling(config, prefix, m);
  return m;
}

// Wavelengths above the old context are stretched by `factor`, those well inside it are kept, in
// between the two are blended (Llama 3.1; Transformers' modeling_rope_utils names it "llama3").
std::vector<float> rope_factors_from_hf_config(const JsonObject& config) {
  const Json* field = config.find("rope_scaling");
  if (field == nullptr) return {};
  const JsonObject scaling(*field, config.file_name() + ": \"rope_scaling\"");
  if (rope_type_of(scaling) != "llama3") return {};
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
  const auto head_dim = static_cast<double>(head_dim_of(config));
  const double base = config.find_float("rope_theta").value_or(10000.0);
  std::vector<float> factors;
  for (double i = 0; i < head_dim / 2; ++i) {
    const double wavelength = 2.0 * std::numbers::pi * std::pow(base, 2.0 * i / head_dim);
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

}  // namespace nibble
