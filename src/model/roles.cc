#include "model/roles.h"

#include "base/parse_number.h"

namespace nibble {
namespace {

std::optional<TensorPlace> place_from_name(std::string_view name, std::string_view layer_prefix,
                                           std::string_view RoleRow::*column) {
  constexpr std::string_view kSuffix = ".weight";
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  const auto [layer, rest] = split_layer(name, layer_prefix);
  if (rest.empty()) return std::nullopt;
  for (const RoleRow& row : kRoles) {
    if (row.per_layer == layer.has_value() && row.*column == rest)
      return TensorPlace{row.role, layer.value_or(0)};
  }
  return std::nullopt;
}

}  // namespace

LayerName split_layer(std::string_view name, std::string_view prefix) {
  const size_t dot = name.find('.', prefix.size());
  if (!name.starts_with(prefix) || dot == std::string_view::npos) return {std::nullopt, name};
  const auto digits = name.substr(prefix.size(), dot - prefix.size());
  const auto layer = parse_number<uint32_t>(digits);
  if (!layer || digits != std::to_string(*layer)) return {std::nullopt, name};
  return {*layer, name.substr(dot + 1)};
}

std::string gguf_name(const TensorPlace& place) {
  const RoleRow& row = role_row(place.role);
  const std::string prefix =
      row.per_layer ? std::string(kGgufLayers) + std::to_string(place.layer) + "." : "";
  return prefix + std::string(row.name) + ".weight";
}

std::optional<TensorPlace> place_from_gguf_name(std::string_view name) {
  return place_from_name(name, kGgufLayers, &RoleRow::name);
}

std::optional<TensorPlace> place_from_hf_name(std::string_view name) {
  return place_from_name(name, "model.layers.", &RoleRow::hf);
}

}  // namespace nibble
