#include "model/roles.h"

#include "base/parse_number.h"

namespace nibble {
namespace {

// A name as the table has it: which layer, if any, and what follows without ".weight".
std::optional<LayerName> parse_name(std::string_view name, std::string_view layer_prefix) {
  constexpr std::string_view kSuffix = ".weight";
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  const LayerName parsed = split_layer(name, layer_prefix);
  if (parsed.rest.empty()) return std::nullopt;
  return parsed;
}

// Without zeros before it.
std::optional<uint32_t> parse_index(std::string_view digits) {
  const auto index = parse_number<uint32_t>(digits);
  return index && digits == std::to_string(*index) ? index : std::nullopt;
}

// The number in place of the pattern's *.
std::optional<uint32_t> match_index(std::string_view pattern, std::string_view name) {
  const size_t star = pattern.find('*');
  const auto before = pattern.substr(0, star), after = pattern.substr(star + 1);
  if (name.size() < pattern.size() || !name.starts_with(before) || !name.ends_with(after))
    return std::nullopt;
  return parse_index(name.substr(star, name.size() - before.size() - after.size()));
}

}  // namespace

LayerName split_layer(std::string_view name, std::string_view prefix) {
  const size_t dot = name.find('.', prefix.size());
  if (!name.starts_with(prefix) || dot == std::string_view::npos) return {std::nullopt, name};
  const auto layer = parse_index(name.substr(prefix.size(), dot - prefix.size()));
  if (!layer) return {std::nullopt, name};
  return {*layer, name.substr(dot + 1)};
}

std::string gguf_name(const TensorPlace& place) {
  const RoleRow& row = role_row(place.role);
  const std::string prefix =
      row.per_layer ? std::string(kGgufLayers) + std::to_string(place.layer) + "." : "";
  return prefix + std::string(row.name) + ".weight";
}

std::optional<TensorPlace> place_from_gguf_name(std::string_view name) {
  const auto parsed = parse_name(name, kGgufLayers);
  if (!parsed) return std::nullopt;
  for (const RoleRow& row : kRoles) {
    if (row.per_layer == parsed->layer.has_value() && row.name == parsed->rest)
      return TensorPlace{row.role, parsed->layer.value_or(0)};
  }
  return std::nullopt;
}

std::optional<CheckpointPlace> place_from_hf_name(std::string_view name) {
  const auto parsed = parse_name(name, "model.layers.");
  if (!parsed) return std::nullopt;
  for (const RoleRow& row : kRoles) {
    if (row.per_layer != parsed->layer.has_value()) continue;
    const TensorPlace place{row.role, parsed->layer.value_or(0)};
    if (!row.is_stacked && row.hf == parsed->rest) return CheckpointPlace{place, std::nullopt};
    if (!row.is_stacked) continue;
    if (const auto expert = match_index(row.hf, parsed->rest))
      return CheckpointPlace{place, *expert};
  }
  return std::nullopt;
}

}  // namespace nibble
