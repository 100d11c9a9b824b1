#include "model/checkpoint_names.h"

#include <array>

#include "base/parse_number.h"

namespace nibble {
namespace {

constexpr auto kCommonNames = std::to_array<CheckpointName>({
    {"embed_tokens", Role::kTokenEmbd},
    {"norm", Role::kOutputNorm},
    {"lm_head", Role::kOutput},
    {"input_layernorm", Role::kAttnNorm},
    {"self_attn.q_proj", Role::kAttnQ},
    {"self_attn.k_proj", Role::kAttnK},
    {"self_attn.v_proj", Role::kAttnV},
    {"self_attn.o_proj", Role::kAttnOutput},
    {"self_attn.q_norm", Role::kAttnQNorm},
    {"self_attn.k_norm", Role::kAttnKNorm},
    {"post_attention_layernorm", Role::kFfnNorm},
    {"mlp.gate_proj", Role::kFfnGate},
    {"mlp.up_proj", Role::kFfnUp},
    {"mlp.down_proj", Role::kFfnDown},
    {"block_sparse_moe.gate", Role::kFfnRouter},
    {"block_sparse_moe.experts.*.w1", Role::kFfnGateExperts},
    {"block_sparse_moe.experts.*.w3", Role::kFfnUpExperts},
    {"block_sparse_moe.experts.*.w2", Role::kFfnDownExperts},
    {"mlp.gate", Role::kFfnRouter},
    {"mlp.experts.*.gate_proj", Role::kFfnGateExperts},
    {"mlp.experts.*.up_proj", Role::kFfnUpExperts},
    {"mlp.experts.*.down_proj", Role::kFfnDownExperts},
    {"mlp.shared_expert_gate", Role::kFfnSharedGate},
    {"mlp.shared_expert.gate_proj", Role::kFfnGateShared},
    {"mlp.shared_expert.up_proj", Role::kFfnUpShared},
    {"mlp.shared_expert.down_proj", Role::kFfnDownShared},
    {"mlp.shared_experts.gate_proj", Role::kFfnGateShared},
    {"mlp.shared_experts.up_proj", Role::kFfnUpShared},
    {"mlp.shared_experts.down_proj", Role::kFfnDownShared},
    {"mlp.gate.e_score_correction_bias", Role::kFfnRouterBias, Take::kAll, true},
});

// What may stand before the names of a model's tensors, longer ones first, and before the numbers
// of its layers.
constexpr std::string_view kPrefixes[] = {
    "model.language_model.",
    "language_model.model.",
    "language_model.",
    "model.",
    "transformer.",
    "gpt_neox.",
    "bert.",
    "nomic_bert.",
};
constexpr std::string_view kLayers[] = {"layers.", "h.", "blocks.", "encoder.layer.",
                                        "encoder.layers."};

// A number without zeros before it in place of the pattern's *.
std::optional<uint32_t> match_index(std::string_view pattern, std::string_view name) {
  const size_t star = pattern.find('*');
  const auto before = pattern.substr(0, star), after = pattern.substr(star + 1);
  if (name.size() < pattern.size() || !name.starts_with(before) || !name.ends_with(after))
    return std::nullopt;
  const auto digits = name.substr(star, name.size() - before.size() - after.size());
  const auto index = parse_number<uint32_t>(digits);
  return index && digits == std::to_string(*index) ? index : std::nullopt;
}

struct SplitName {
  std::optional<uint64_t> layer;
  std::string_view name;
  bool is_bias = false;
};

SplitName split(std::string_view name) {
  for (const std::string_view prefix : kPrefixes) {
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    break;
  }
  SplitName result;
  for (const std::string_view layers : kLayers) {
    const LayerName found = split_layer(name, layers);
    if (!found.layer) continue;
    result.layer = found.layer;
    name = found.rest;
    break;
  }
  constexpr std::string_view kWeight = ".weight", kBias = ".bias";
  result.is_bias = name.ends_with(kBias);
  if (name.ends_with(kWeight)) name.remove_suffix(kWeight.size());
  if (result.is_bias) name.remove_suffix(kBias.size());
  result.name = name;
  return result;
}

std::vector<CheckpointPlace> find(const SplitName& name, std::span<const CheckpointName> list) {
  std::vector<CheckpointPlace> places;
  for (const CheckpointName& row : list) {
    if (role_row(row.role).per_layer != name.layer.has_value()) continue;
    CheckpointPlace place{
        {row.role, name.layer.value_or(0), name.is_bias || row.is_bias}, std::nullopt, row.take};
    if (row.hf.find('*') != std::string_view::npos) {
      const auto expert = match_index(row.hf, name.name);
      if (!expert) continue;
      place.expert = *expert;
    } else if (row.hf != name.name) {
      continue;
    }
    places.push_back(place);
  }
  return places;
}

}  // namespace

std::vector<CheckpointPlace> places_from_hf_name(std::string_view name,
                                                 std::span<const CheckpointName> own) {
  const SplitName parts = split(name);
  auto places = find(parts, own);
  return places.empty() ? find(parts, kCommonNames) : places;
}

}  // namespace nibble
