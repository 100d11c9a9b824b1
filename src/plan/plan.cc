#include "plan/plan.h"

#include <algorithm>
#include <array>

#include "codec/formats.h"
#include "model/roles.h"

namespace nibble {
namespace {

// Norms and biases: llama.cpp wants them as f32.
bool is_vector(const TensorInfo& tensor) {
  return tensor.shape.rank < 2 || tensor.name.ends_with("_norm.weight");
}

// What a tensor becomes that no recipe speaks of. Of a checkpoint routers become f32, too, as
// llama.cpp's converter has them; its quantizer leaves them as they are.
DType kept_type(const TensorInfo& tensor, bool is_checkpoint) {
  const auto place = place_from_gguf_name(tensor.name);
  const bool is_small = place && is_kept_f32(*place);
  return is_vector(tensor) || (is_small && is_checkpoint) ? DType::kF32 : tensor.type;
}

bool has_output(const std::vector<TensorInfo>& tensors) {
  return std::ranges::find(tensors, gguf_name({Role::kOutput}), &TensorInfo::name) != tensors.end();
}

bool is_left(const TensorInfo& tensor, const PlanOptions& options) {
  return options.leave_output && tensor.name == gguf_name({Role::kOutput});
}

}  // namespace

bool is_quantizable(const TensorInfo& tensor) {
  // Names as of llama.cpp's quantizer, 2026.
  static constexpr auto kKept = std::to_array<std::string_view>(
      {"token_types",          "time_mix_w2",    "time_mix_w1",    "time_mix_w0",
       "time_mix_v2",          "time_mix_v1",    "time_mix_v0",    "time_mix_lerp_fused",
       "time_mix_g2",          "time_mix_g1",    "time_mix_first", "time_mix_decay_w2",
       "time_mix_decay_w1",    "time_mix_a2",    "time_mix_a1",    "time_mix_a0",
       "ssm_conv1d",           "shortconv.conv", "position_embd",  "pos_embd",
       "per_layer_model_proj", "laurel",         "indexer.q_proj", "indexer.k_proj",
       "ffn_gate_tid2eid",     "ffn_gate_inp",   "attn_rel_b",     "altup"});
  if (is_vector(tensor) || !tensor.name.ends_with("weight")) return false;
  return std::ranges::none_of(
      kKept, [&](std::string_view part) { return tensor.name.find(part) != std::string::npos; });
}

RecipeContext recipe_context(const std::vector<TensorInfo>& tensors, const Metadata& metadata) {
  RecipeContext context;
  context.arch = metadata.find_string("general.architecture").value_or("");
  const auto number = [&](const char* key, uint64_t otherwise) {
    const std::string full = context.arch + "." + key;
    const MetadataValue* value = metadata.find(full);
    // Some architectures say a number for each layer; recipes speak of the model.
    if (value == nullptr || std::holds_alternative<MetadataArray>(*value)) return otherwise;
    return metadata.find_uint(full).value_or(otherwise);
  };
  context.n_layer = number("block_count", 0);
  context.n_expert = number("expert_count", 0);
  const uint64_t heads = number("attention.head_count", 1);
  const uint64_t kv_heads = number("attention.head_count_kv", heads);
  context.gqa = kv_heads == 0 ? 1 : heads / kv_heads;
  context.has_output = has_output(tensors);
  return context;
}

std::vector<PlannedTensor> make_plan(const std::vector<TensorInfo>& tensors,
                                     const Metadata& metadata, const Recipe& recipe,
                                     const PlanOptions& options) {
  RecipeContext context = recipe_context(tensors, metadata);
  context.importance = options.importance;
  std::vector<PlannedTensor> plan;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorInfo& tensor = tensors[i];
    if (is_left(tensor, options) || !is_quantizable(tensor)) {
      const DType kept = kept_type(tensor, options.is_checkpoint);
      plan.push_back({i, kept, kept});
      continue;
    }
    const auto fixed = fixed_type(tensor, tensors, options);
    const DType wanted = fixed ? *fixed
                         : options.pure
                             ? recipe.base_type()
                             : recipe.type_for(tensor.name, tensor.shape.columns(), context);
    plan.push_back({i, dtype_for_columns(wanted, tensor.shape.columns()), wanted});
  }
  return plan;
}

std::optional<DType> fixed_type(const TensorInfo& tensor, const std::vector<TensorInfo>& tensors,
                                const PlanOptions& options) {
  const bool is_embedding = tensor.name == gguf_name({Role::kTokenEmbd});
  const bool is_output =
      tensor.name == gguf_name({Role::kOutput}) || (is_embedding && !has_output(tensors));
  if (is_left(tensor, options)) return kept_type(tensor, options.is_checkpoint);
  if (is_embedding && options.token_embedding) return options.token_embedding;
  if (is_output && options.output) return options.output;
  for (const TypeRule& rule : options.rules) {
    if (rule.matches(tensor.name)) return rule.type();
  }
  return std::nullopt;
}

std::vector<std::string> unmatched_lines(const Recipe& recipe,
                                         const std::vector<TensorInfo>& tensors,
                                         const Metadata& metadata) {
  std::vector<std::string_view> names;
  for (const TensorInfo& tensor : tensors) {
    if (is_quantizable(tensor)) names.push_back(tensor.name);
  }
  return recipe.unmatched_lines(names, recipe_context(tensors, metadata));
}

std::vector<std::string> unmatched_rules(const std::vector<TypeRule>& rules,
                                         const std::vector<TensorInfo>& tensors) {
  std::vector<std::string> sentences;
  for (const TypeRule& rule : rules) {
    const bool is_used = std::ranges::any_of(tensors, [&](const TensorInfo& tensor) {
      return is_quantizable(tensor) && rule.matches(tensor.name);
    });
    if (!is_used) {
      sentences.push_back(
          "the pattern of " + rule.text() +
          " is in no name of a tensor that can be quantized: nothing gets its type");
    }
  }
  return sentences;
}

std::vector<PlannedTensor> make_copy_plan(const std::vector<TensorInfo>& tensors,
                                          bool is_checkpoint) {
  std::vector<PlannedTensor> plan;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const DType type = is_checkpoint ? kept_type(tensors[i], true) : tensors[i].type;
    plan.push_back({i, type, type});
  }
  return plan;
}

}  // namespace nibble
