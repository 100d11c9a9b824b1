#include "model/roles.h"

#include <charconv>

namespace nibble {
namespace {

// Takes `prefix` off the front of `text`; false when it is not there.
bool consume(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<uint64_t> consume_number(std::string_view& text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

std::optional<TensorPlace> place_from_name(std::string_view name, std::string_view layer_prefix,
                                           std::string_view RoleRow::*column) {
  constexpr std::string_view kSuffix = ".weight";
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  TensorPlace place{};
  const bool per_layer = consume(name, layer_prefix);
  if (per_layer) {
    const auto layer = consume_number(name);
    if (!layer || !consume(name, ".")) return std::nullopt;
    place.layer = *layer;
  }
  for (const RoleRow& row : kRoles) {
    if (row.per_layer != per_layer || row.*column != name || name.empty()) continue;
    place.role = row.role;
    return place;
  }
  return std::nullopt;
}

}  // namespace

std::string gguf_name(const TensorPlace& place) {
  const RoleRow& row = role_row(place.role);
  const std::string prefix = row.per_layer ? "blk." + std::to_string(place.layer) + "." : "";
  return prefix + std::string(row.name) + ".weight";
}

std::optional<TensorPlace> place_from_gguf_name(std::string_view name) {
  return place_from_name(name, "blk.", &RoleRow::name);
}

std::optional<TensorPlace> place_from_hf_name(std::string_view name) {
  return place_from_name(name, "model.layers.", &RoleRow::hf);
}

}  // namespace nibble
