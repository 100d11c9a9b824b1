#include "model/roles.h"

#include <algorithm>
#include <array>

#include "base/parse_number.h"

namespace nibble {
namespace {

struct Ending {
  std::string_view text;
  bool is_bias;
  MatrixScale scale;
};
constexpr auto kEndings = std::to_array<Ending>({
    {".weight", false, MatrixScale::kNone},
    {".bias", true, MatrixScale::kNone},
    {".scale", false, MatrixScale::kProduct},
    {".input_scale", false, MatrixScale::kInput},
});

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
  const auto ending = std::ranges::find_if(kEndings, [&](const Ending& each) {
    return each.is_bias == place.is_bias && each.scale == place.scale;
  });
  return prefix + std::string(row.name) + std::string(ending->text);
}

std::optional<TensorPlace> place_from_gguf_name(std::string_view name) {
  const auto ending =
      std::ranges::find_if(kEndings, [&](const Ending& each) { return name.ends_with(each.text); });
  if (ending == kEndings.end()) return std::nullopt;
  name.remove_suffix(ending->text.size());
  const LayerName parsed = split_layer(name);
  for (const RoleRow& row : kRoles) {
    if (row.per_layer != parsed.layer.has_value() || row.name != parsed.rest) continue;
    const TensorPlace place = {row.role, parsed.layer.value_or(0), ending->is_bias, ending->scale};
    if (place.is_scale() && !is_multiplied({row.role})) return std::nullopt;
    return place;
  }
  return std::nullopt;
}

}  // namespace nibble
