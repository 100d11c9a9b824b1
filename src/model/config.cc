#include "model/config.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <variant>

#include "base/error.h"

namespace nibble {
namespace {

constexpr uint64_t kMaxWidth = 1u << 20;

// Reads ARCH.NAME keys and refuses numbers that no model has, before anything is allocated by them.
class Reader {
 public:
  Reader(const Metadata& metadata, std::string_view arch) : metadata_(metadata), arch_(arch) {}

  std::string key(std::string_view name) const { return arch_ + "." + std::string(name); }

  int64_t size(std::string_view name, uint64_t largest) const {
    return checked(name, metadata_.require_uint(key(name)), largest);
  }
  int64_t size_or(std::string_view name, uint64_t largest, int64_t otherwise) const {
    const auto value = metadata_.find_uint(key(name));
    return value ? checked(name, *value, largest) : otherwise;
  }
  // 0 where it is missing.
  int64_t size_or_zero(std::string_view name, uint64_t largest) const {
    return metadata_.find_uint(key(name)).value_or(0) == 0 ? 0 : size(name, largest);
  }
  std::optional<double> number(std::string_view name) const {
    const auto value = metadata_.find_float(key(name));
    if (value && !std::isfinite(*value)) {
      fail(ErrorCode::kInvalidFile, "{}: {}: found {}, expected a finite number",
           metadata_.origin(), key(name), *value);
    }
    return value;
  }
  float number_or(std::string_view name, float otherwise) const {
    return static_cast<float>(number(name).value_or(otherwise));
  }
  bool flag_or(std::string_view name, bool otherwise) const {
    return metadata_.find_bool(key(name)).value_or(otherwise);
  }
  const Metadata& metadata() const { return metadata_; }
  double positive(std::string_view name, double otherwise) const {
    const double value = metadata_.find_float(key(name)).value_or(otherwise);
    if (!(value > 0.0) || !std::isfinite(value)) {
      fail(ErrorCode::kInvalidFile, "{}: {}: found {}, expected a number above 0",
           metadata_.origin(), key(name), value);
    }
    return value;
  }

 private:
  int64_t checked(std::string_view name, uint64_t value, uint64_t largest) const {
    if (value == 0 || value > largest) {
      fail(ErrorCode::kInvalidFile, "{}: {}: found {}, expected 1 to {}", metadata_.origin(),
           key(name), value, largest);
    }
    return static_cast<int64_t>(value);
  }

  const Metadata& metadata_;
  std::string arch_;
};

const Arch& read_arch(const Metadata& metadata) {
  const auto name = metadata.require_string("general.architecture");
  const Arch* arch = find_arch(name);
  if (arch == nullptr) {
    fail(ErrorCode::kUnsupported, "{}: architecture \"{}\" is not supported; this version runs: {}",
         metadata.origin(), name, supported_archs());
  }
  return *arch;
}

// Some files have the number of layer norms under the name of the other kind.
float read_epsilon(const Reader& reader, const Arch& arch) {
  constexpr std::string_view kRms = "attention.layer_norm_rms_epsilon";
  constexpr std::string_view kLayer = "attention.layer_norm_epsilon";
  const bool has_own =
      arch.norm == NormKind::kLayer && reader.metadata().contains(reader.key(kLayer));
  return static_cast<float>(reader.positive(has_own ? kLayer : kRms, arch.epsilon));
}

void read_rope_scaling(const Reader& reader, RopeScaling& scaling) {
  const Metadata& metadata = reader.metadata();
  const auto type = metadata.find_string(reader.key("rope.scaling.type")).value_or("none");
  scaling.original_context = static_cast<double>(
      reader.size_or_zero("rope.scaling.original_context_length", uint64_t{1} << 31));
  scaling.magnitude = static_cast<float>(reader.positive("rope.scaling.attn_factor", 1.0));
  if (type == "none" || type == "longrope") return;  // factors are a tensor
  const double factor = reader.positive("rope.scaling.factor", 1.0);
  if (type == "linear") {
    scaling.position_scale = 1.0 / factor;
  } else if (type == "yarn" && scaling.original_context > 0) {
    scaling.yarn_factor = factor;
    scaling.yarn_beta_fast = reader.positive("rope.scaling.yarn_beta_fast", 32.0);
    scaling.yarn_beta_slow = reader.positive("rope.scaling.yarn_beta_slow", 1.0);
    // With this key the scores grow instead, see read_latent().
    if (!reader.number("rope.scaling.yarn_log_multiplier"))
      scaling.magnitude *= static_cast<float>(1.0 + 0.1 * std::log(factor));
  } else if (type == "yarn") {
    fail(ErrorCode::kInvalidFile, "{}: {}: found \"yarn\" without {}", metadata.origin(),
         reader.key("rope.scaling.type"), reader.key("rope.scaling.original_context_length"));
  } else {
    fail(ErrorCode::kUnsupported,
         "{}: {}: RoPE scaling \"{}\" is not supported; this version knows none, linear, llama3, "
         "yarn and longrope",
         metadata.origin(), reader.key("rope.scaling.type"), type);
  }
}

Gating read_gating(const Reader& reader, Gating otherwise) {
  const auto key = reader.key("expert_gating_func");
  const auto value = reader.metadata().find_uint(key);
  if (!value || *value == 0) return otherwise;
  switch (*value) {
    case 1:
      return Gating::kSoftmax;
    case 2:
      return Gating::kSigmoid;
    case 3:
      return Gating::kSoftmaxOfChosen;
  }
  fail(ErrorCode::kUnsupported,
       "{}: {}: {} is not supported; this version knows 1 (softmax), 2 (sigmoid) and 3 (softmax of "
       "the chosen)",
       reader.metadata().origin(), key, *value);
}

// Either both numbers are there, or none (an explicit 0 is none).
void read_experts(const Reader& reader, ModelConfig& c) {
  constexpr uint64_t kMaxExperts = 4096;
  const Metadata& metadata = reader.metadata();
  c.expert_ffn = c.ffn;
  c.experts = reader.size_or_zero("expert_count", kMaxExperts);
  if (c.experts == 0) {
    if (reader.size_or_zero("expert_used_count", kMaxExperts) == 0) return;
    fail(ErrorCode::kInvalidFile, "{}: {}: found {} without {}, which says how many there are",
         metadata.origin(), reader.key("expert_used_count"),
         metadata.require_uint(reader.key("expert_used_count")), reader.key("expert_count"));
  }
  c.experts_used = reader.size("expert_used_count", static_cast<uint64_t>(c.experts));
  c.expert_ffn = reader.size_or("expert_feed_forward_length", kMaxWidth, c.ffn);
  c.shared_ffn = reader.size_or_zero("expert_shared_feed_forward_length", kMaxWidth);
  if (c.shared_ffn == 0)
    c.shared_ffn = reader.size_or_zero("expert_shared_count", 64) * c.expert_ffn;
  c.dense_layers =
      reader.size_or_zero("leading_dense_block_count", static_cast<uint64_t>(c.layers));
  c.gating = read_gating(reader, c.arch->gating);
  c.normalizes_experts = reader.flag_or("expert_weights_norm", c.arch->normalizes_experts);
  c.experts_scale = reader.number_or("expert_weights_scale", 1.0f);
  if (c.experts_scale == 0) c.experts_scale = 1.0f;
  c.expert_groups = reader.size_or("expert_group_count", kMaxExperts, 1);
  c.expert_groups_used =
      reader.size_or("expert_group_used_count", static_cast<uint64_t>(c.expert_groups), 1);
  if (c.experts % c.expert_groups != 0) {
    fail(ErrorCode::kInvalidFile, "{}: {} experts cannot be divided into {} groups",
         metadata.origin(), c.experts, c.expert_groups);
  }
}

void read_windows(const Reader& reader, ModelConfig& c) {
  c.window = reader.size_or_zero("attention.sliding_window", uint64_t{1} << 31);
  if (c.window == 0) return;
  const std::string key = reader.key("attention.sliding_window_pattern");
  const MetadataValue* pattern = reader.metadata().find(key);
  if (pattern != nullptr && std::holds_alternative<MetadataArray>(*pattern)) {
    c.sees_window = *reader.metadata().find_array<bool>(key);
    if (c.sees_window.size() >= static_cast<size_t>(c.layers)) return;
    fail(ErrorCode::kInvalidFile, "{}: {}: found {} layers, expected {}",
         reader.metadata().origin(), key, c.sees_window.size(), c.layers);
  }
  c.sees_window = flags_by_period(
      c.layers, reader.size_or("attention.sliding_window_pattern", 4096, c.arch->window_period));
}

void read_rope(const Reader& reader, ModelConfig& c) {
  if (c.arch->positions != PositionKind::kRope) return;
  c.rope_dimensions = reader.size_or("rope.dimension_count", 65536, c.head_dim);
  c.rope_base = reader.positive("rope.freq_base", 10000.0);
  read_rope_scaling(reader, c.rope_scaling);
  if (c.arch->local_rope_base > 0)
    c.local_rope_base = reader.positive("rope.freq_base_swa", c.arch->local_rope_base);
  if (c.arch->no_rope_period > 0) {
    c.lacks_rope = flags_by_period(c.layers, c.arch->no_rope_period);
    c.lacks_rope.flip();
  }
  if (c.arch->only_windows_rotate && c.window > 0) {
    c.lacks_rope = c.sees_window;
    c.lacks_rope.flip();
  }
}

// Older files have the sizes of heads where newer ones have those of what is kept of them.
void read_latent(const Reader& reader, ModelConfig& c) {
  c.latent = reader.size("attention.kv_lora_rank", kMaxWidth);
  c.query_latent = reader.size_or_zero("attention.q_lora_rank", kMaxWidth);
  const auto size_of = [&](std::string_view newer, std::string_view older) {
    const bool is_newer = reader.metadata().contains(reader.key(newer));
    return reader.size(is_newer ? newer : older, 65536);
  };
  const int64_t key = size_of("attention.key_length_mla", "attention.key_length");
  c.value_dim = size_of("attention.value_length_mla", "attention.value_length");
  const int64_t turned = reader.size("rope.dimension_count", 65536);
  c.still_key_dim = key - turned;
  if (c.still_key_dim <= 0) {
    fail(ErrorCode::kInvalidFile, "{}: {}: found {} RoPE dimensions of {} that a key has",
         reader.metadata().origin(), reader.key("rope.dimension_count"), turned, key);
  }
  c.kv_heads = 1;
  c.head_dim = turned + c.latent;
  const double factor = c.rope_scaling.yarn_factor;
  const double log_multiplier = reader.number("rope.scaling.yarn_log_multiplier").value_or(0);
  const double magnitude = factor > 1 ? 1 + log_multiplier * std::log(factor) : 1;
  if (c.attention_scale == 0) {
    c.attention_scale =
        static_cast<float>(magnitude * magnitude / std::sqrt(static_cast<double>(key)));
  }
}

void read_scales(const Reader& reader, ModelConfig& c) {
  const auto scale = [&](std::string_view name, float otherwise) {
    const float found = reader.number_or(name, otherwise);
    return found == 0 ? otherwise : found;  // an explicit 0 is none
  };
  c.attention_scale = scale("attention.scale", 0.0f);
  c.attention_softcap = reader.number_or("attn_logit_softcapping", 0);
  c.max_alibi_bias = reader.number_or("attention.max_alibi_bias",
                                      c.arch->positions == PositionKind::kAlibi ? 8.0f : 0.0f);
  c.qkv_limit = reader.number_or("attention.clamp_kqv", 0);
  c.embedding_scale = scale(
      "embedding_scale", c.arch->scales_embedding ? std::sqrt(static_cast<float>(c.hidden)) : 1.0f);
  c.residual_scale = scale("residual_scale", 1.0f);
  c.logit_scale = scale("logit_scale", 1.0f);
  if (c.arch->divides_logits) c.logit_scale = 1.0f / c.logit_scale;
  c.logit_softcap = reader.number_or("final_logit_softcapping", 0);
  if (c.attention_softcap < 0 || c.logit_softcap < 0 || c.qkv_limit < 0) {
    fail(ErrorCode::kInvalidFile,
         "{}: found softcaps {} and {} and a limit of {}, expected none below 0",
         reader.metadata().origin(), c.attention_softcap, c.logit_softcap, c.qkv_limit);
  }
}

void check_heads(const ModelConfig& c, const Metadata& metadata) {
  if (c.heads % c.kv_heads != 0) {
    fail(ErrorCode::kInvalidFile, "{}: {} query heads cannot share {} key-value heads evenly",
         metadata.origin(), c.heads, c.kv_heads);
  }
  if (c.rope_dimensions > c.head_dim || c.rope_dimensions % 2 != 0) {
    fail(ErrorCode::kInvalidFile,
         "{}: {} RoPE dimensions, expected an even number up to the head size {}",
         metadata.origin(), c.rope_dimensions, c.head_dim);
  }
}

}  // namespace

std::vector<bool> flags_by_period(int64_t layers, int64_t period) {
  std::vector<bool> flags(static_cast<size_t>(layers), true);
  for (int64_t i = period - 1; period > 0 && i < layers; i += period)
    flags[static_cast<size_t>(i)] = false;
  return flags;
}

ModelConfig config_from_metadata(const Metadata& metadata) {
  ModelConfig c;
  c.arch = &read_arch(metadata);
  const Reader reader(metadata, c.arch->name);
  c.layers = reader.size("block_count", 4096);
  c.context_length = reader.size("context_length", uint64_t{1} << 31);
  c.hidden = reader.size("embedding_length", kMaxWidth);
  c.ffn = reader.size("feed_forward_length", kMaxWidth);
  c.heads = reader.size("attention.head_count", 65536);
  c.kv_heads = reader.size_or("attention.head_count_kv", 65536, c.heads);
  c.head_dim = reader.size_or("attention.key_length", 65536, c.hidden / c.heads);
  if (c.head_dim == 0 ||
      (c.hidden % c.heads != 0 && !metadata.contains(reader.key("attention.key_length")))) {
    fail(ErrorCode::kInvalidFile, "{}: a hidden size of {} cannot be divided among {} heads",
         metadata.origin(), c.hidden, c.heads);
  }
  if (!c.arch->is_latent &&
      reader.size_or("attention.value_length", 65536, c.head_dim) != c.head_dim) {
    fail(ErrorCode::kUnsupported, "{}: keys and values of different sizes are not supported",
         metadata.origin());
  }
  c.epsilon = read_epsilon(reader, *c.arch);
  c.nonlinearity = c.arch->nonlinearity;
  c.is_parallel = reader.flag_or("use_parallel_residual", c.arch->is_parallel);
  c.is_encoder = !reader.flag_or("attention.causal", !c.arch->is_encoder);
  c.token_types = static_cast<int64_t>(
      std::min<uint64_t>(metadata.find_uint("tokenizer.ggml.token_type_count").value_or(0), 4096));
  read_experts(reader, c);
  read_windows(reader, c);
  read_rope(reader, c);
  read_scales(reader, c);
  if (c.arch->is_latent) read_latent(reader, c);
  if (c.arch->adjust != nullptr) c.arch->adjust(c);
  if (c.attention_scale == 0) c.attention_scale = 1.0f / std::sqrt(static_cast<float>(c.head_dim));
  check_heads(c, metadata);
  return c;
}

}  // namespace nibble
