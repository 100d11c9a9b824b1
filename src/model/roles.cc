#include "model/roles.h"

#include "base/parse_number.h"

namespace nibble {
namespace {

constexpr std::string_view kWeight = ".weight", kBias = ".bias";

// Without zeros before it.
std::optional<uint32_t> parse_index(std::string_view digits) {
  const auto index = parse_number<uint32_t>(digits);
  return index && digits == std::to_string(*index) ? index : std::nullopt;
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
  return prefix + std::string(row.name) + std::string(place.is_bias ? kBias : kWeight);
}

std::optional<TensorPlace> place_from_gguf_name(std::string_view name) {
  const bool is_bias = name.ends_with(kBias);
  if (!is_bias && !name.ends_with(kWeight)) return std::nullopt;
  name.remove_suffix(is_bias ? kBias.size() : kWeight.size());
  const LayerName parsed = split_layer(name);
  for (const RoleRow& row : kRoles) {
    if (row.per_layer == parsed.layer.has_value() && row.name == parsed.rest)
      return TensorPlace{row.role, parsed.layer.value_or(0), is_bias};
  }
  return std::nullopt;
}

}  // namespace nibble
