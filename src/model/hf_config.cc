#include "model/hf_config.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "base/error.h"
#include "model/config.h"
#include "model/hf_rope.h"

namespace nibble {
namespace {

using Names = std::initializer_list<const char*>;

// Families name the same fields differently.
const Names kHidden = {"hidden_size", "n_embd", "d_model"};
const Names kLayers = {"num_hidden_layers", "n_layer", "n_layers", "num_layers"};
const Names kHeads = {"num_attention_heads", "n_head", "n_heads"};
const Names kKvHeads = {"num_key_value_heads", "num_kv_heads"};
const Names kFfn = {"intermediate_size", "n_inner", "ffn_hidden_size", "ffn_dim"};
const Names kContext = {"max_position_embeddings", "n_positions", "max_seq_len", "seq_length",
                        "max_sequence_length",     "n_ctx"};
const Names kExperts = {"num_local_experts", "num_experts", "n_routed_experts"};
const Names kExpertsUsed = {"num_experts_per_tok", "num_experts_per_token", "moe_k"};
const Names kRmsEpsilon = {"rms_norm_eps", "norm_eps", "norm_epsilon", "layer_norm_epsilon"};
const Names kLayerEpsilon = {"layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "norm_eps",
                             "rms_norm_eps"};
const Names kActivation = {"hidden_activation", "hidden_act", "activation_function", "activation"};

// The name that the file uses; the first one if it uses none.
const char* name_in(const JsonObject& config, Names names) {
  const auto found =
      std::ranges::find_if(names, [&](const char* name) { return config.find(name) != nullptr; });
  return found == names.end() ? *names.begin() : *found;
}

uint32_t u32(const JsonObject& config, Names names) {
  const char* key = name_in(config, names);
  const uint64_t value = config.require_uint(key);
  if (value == 0 || value > INT32_MAX) {
    fail(ErrorCode::kInvalidFile, "{}: \"{}\": found {}, expected 1 to {}", config.file_name(), key,
         value, INT32_MAX);
  }
  return static_cast<uint32_t>(value);
}

uint64_t head_dim_of(const JsonObject& config) {
  if (const auto head_dim = config.find_uint("head_dim")) return *head_dim;
  const uint64_t hidden = u32(config, kHidden);
  const uint64_t heads = u32(config, kHeads);
  if (hidden % heads != 0) {
    fail(ErrorCode::kInvalidFile, "{}: \"{}\" {} is not divisible by \"{}\" {}", config.file_name(),
         name_in(config, kHidden), hidden, name_in(config, kHeads), heads);
  }
  return hidden / heads;
}

// Of models whose feed-forward networks are experts.
void add_experts(const JsonObject& config, const std::string& prefix, Metadata& metadata) {
  const auto experts = config.find_uint(name_in(config, kExperts));
  if (experts.value_or(0) == 0) return;
  metadata.set(prefix + "expert_count", u32(config, kExperts));
  metadata.set(prefix + "expert_used_count", u32(config, kExpertsUsed));
}

void check_activation(const Arch& arch, const JsonObject& config) {
  const char* key = name_in(config, kActivation);
  const auto found = config.find_string(key);
  if (!found || std::ranges::find(arch.hf_activations, *found) != arch.hf_activations.end()) return;
  std::string known;
  for (const auto name : arch.hf_activations)
    known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", name);
  fail(ErrorCode::kUnsupported, "{}: \"{}\": \"{}\" is not supported for {}, only {}",
       config.file_name(), key, *found, arch.name, known);
}

void add_own_keys(const Arch& arch, const JsonObject& config, const std::string& prefix,
                  Metadata& metadata) {
  for (const ConfigKey& key : arch.keys) {
    if (config.find(key.hf) == nullptr) continue;
    const std::string name = prefix + std::string(key.gguf);
    switch (key.kind) {
      case ConfigKey::Kind::kUint:
        if (config.require_uint(key.hf) > 0) metadata.set(name, u32(config, {key.hf}));
        break;
      case ConfigKey::Kind::kFloat:
        metadata.set(name, static_cast<float>(config.require_float(key.hf)));
        break;
      case ConfigKey::Kind::kBool:
        metadata.set(name, *config.find_bool(key.hf));
        break;
    }
  }
  if (arch.add_keys != nullptr) arch.add_keys(config, metadata);
}

void add_epsilon(const Arch& arch, const JsonObject& config, const std::string& prefix,
                 Metadata& metadata) {
  const bool is_rms = arch.norm == NormKind::kRms;
  metadata.set(
      prefix + (is_rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon"),
      static_cast<float>(
          config.require_float(name_in(config, is_rms ? kRmsEpsilon : kLayerEpsilon))));
}

// Which layers see a window: by "layer_types", by the old ways to say it, or as the architecture
// has it.
std::vector<bool> windowed_layers(const Arch& arch, const JsonObject& config, int64_t layers) {
  if (const Json* types = config.find("layer_types"); types != nullptr && types->is_array()) {
    std::vector<bool> flags;
    for (const Json& type : *types)
      flags.push_back(type.is_string() && type.get<std::string>() == "sliding_attention");
    flags.resize(static_cast<size_t>(layers));
    return flags;
  }
  if (config.find_bool("use_sliding_window").value_or(false)) {
    std::vector<bool> flags(static_cast<size_t>(layers), true);
    const auto first = config.find_uint("max_window_layers").value_or(0);
    for (size_t i = 0; i < flags.size() && i < first; ++i) flags[i] = false;
    return flags;
  }
  const auto period = config.find_uint("sliding_window_pattern");
  return flags_by_period(layers, period ? static_cast<int64_t>(std::min<uint64_t>(*period, 4096))
                                        : arch.window_period);
}

void add_windows(const Arch& arch, const JsonObject& config, const std::string& prefix,
                 Metadata& metadata) {
  if (config.find_uint("sliding_window").value_or(0) == 0) return;
  if (!config.find_bool("use_sliding_window").value_or(true)) return;
  const auto layers = static_cast<int64_t>(std::min<uint32_t>(u32(config, kLayers), 4096));
  const auto flags = windowed_layers(arch, config, layers);
  if (std::ranges::find(flags, true) == flags.end()) return;
  metadata.set(prefix + "attention.sliding_window", u32(config, {"sliding_window"}));
  if (flags != flags_by_period(layers, arch.window_period))
    metadata.set(prefix + "attention.sliding_window_pattern", MetadataArray{flags});
}

uint32_t ffn_of(const Arch& arch, const JsonObject& config) {
  if (arch.ffn_ratio > 0 && config.find(name_in(config, kFfn)) == nullptr)
    return static_cast<uint32_t>(arch.ffn_ratio) * u32(config, kHidden);
  return u32(config, kFfn);
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

Json language_model_config(const Arch& arch, const JsonObject& config) {
  Json merged = arch.config_defaults.empty()
                    ? Json::object()
                    : parse_json(arch.config_defaults, std::string(arch.name));
  const auto add = [&](const Json& fields) {
    for (auto field = fields.begin(); field != fields.end(); ++field) {
      if (!field->is_null()) merged[field.key()] = *field;
    }
  };
  add(config.json());
  if (const Json* text = config.find("text_config"); text != nullptr && text->is_object())
    add(*text);
  return merged;
}

Metadata metadata_from_hf_config(const Arch& arch, const JsonObject& file,
                                 const std::string& model_name) {
  const Json merged = language_model_config(arch, file);
  const JsonObject config(merged, file.file_name());
  check_activation(arch, config);
  const std::string prefix = std::string(arch.name) + ".";
  const uint64_t head_dim = head_dim_of(config);
  const uint32_t hidden = u32(config, kHidden);
  const uint32_t heads = u32(config, kHeads);
  Metadata m;
  m.set_origin(config.file_name());
  m.set("general.architecture", std::string(arch.name));
  m.set("general.type", std::string("model"));
  m.set("general.name", model_name);
  m.set(prefix + "block_count", u32(config, kLayers));
  m.set(prefix + "context_length", u32(config, kContext));
  m.set(prefix + "embedding_length", hidden);
  m.set(prefix + "feed_forward_length", ffn_of(arch, config));
  add_experts(config, prefix, m);
  m.set(prefix + "attention.head_count", heads);
  const bool grouped = config.find(name_in(config, kKvHeads)) != nullptr;
  m.set(prefix + "attention.head_count_kv", grouped ? u32(config, kKvHeads) : heads);
  add_epsilon(arch, config, prefix, m);
  if (arch.positions == PositionKind::kRope) add_rope_keys(config, head_dim, prefix, m);
  m.set(prefix + "vocab_size", u32(config, {"vocab_size"}));
  if (head_dim * heads != hidden) {
    m.set(prefix + "attention.key_length", static_cast<uint32_t>(head_dim));
    m.set(prefix + "attention.value_length", static_cast<uint32_t>(head_dim));
  }
  add_windows(arch, config, prefix, m);
  add_own_keys(arch, config, prefix, m);
  return m;
}

RenamedOptions renamed_options(const Arch& arch, const JsonObject& file, const Metadata& metadata) {
  const Json merged = language_model_config(arch, file);
  const JsonObject config(merged, file.file_name());
  const std::string prefix = std::string(arch.name) + ".";
  RenamedOptions options;
  options.heads = metadata.require_uint(prefix + "attention.head_count");
  options.kv_heads = metadata.require_uint(prefix + "attention.head_count_kv");
  options.value_rows = metadata.find_uint(prefix + "attention.value_length_mla").value_or(0);
  if (arch.has_later_layers) options.layers = metadata.require_uint(prefix + "block_count");
  options.experts = metadata.find_uint(prefix + "expert_count").value_or(0);
  options.tied_output = config.find_bool("tie_word_embeddings").value_or(false);
  if (arch.positions == PositionKind::kRope)
    options.made = rope_tensors(config, head_dim_of(config));
  options.origin = config.file_name();
  return options;
}

}  // namespace nibble
