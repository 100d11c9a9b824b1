#include "flow/key_override.h"

#include <optional>
#include <utility>

#include "base/error.h"
#include "base/parse_number.h"

namespace nibble {
namespace {

// The value in the type of `like`, when that is an integer type that holds it.
std::optional<MetadataValue> integer_like(const MetadataValue& like, int64_t value) {
  return std::visit(
      [&](const auto& held) -> std::optional<MetadataValue> {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
          if (std::in_range<T>(value)) return MetadataValue(static_cast<T>(value));
        }
        return std::nullopt;
      },
      like);
}

MetadataValue integer(const MetadataValue* before, int64_t value) {
  if (before != nullptr) {
    if (auto same = integer_like(*before, value)) return *std::move(same);
  }
  for (const MetadataValue& type :
       {MetadataValue(uint32_t{}), MetadataValue(int32_t{}), MetadataValue(uint64_t{})}) {
    if (auto fitting = integer_like(type, value)) return *std::move(fitting);
  }
  return value;
}

}  // namespace

KeyOverride::KeyOverride(const std::string& text) {
  const size_t equals = text.find('=');
  const size_t colon = text.find(':', std::min(equals, text.size()));
  if (equals == 0 || colon == std::string::npos) {
    fail(ErrorCode::kUsage,
         "override \"{}\": expected KEY=TYPE:VALUE with TYPE int, float, bool or str", text);
  }
  key_ = text.substr(0, equals);
  const std::string type = text.substr(equals + 1, colon - equals - 1);
  const std::string value = text.substr(colon + 1);
  const auto parsed = [&]() -> std::optional<decltype(value_)> {
    if (type == "int") return parse_number<int64_t>(value);
    if (type == "float") return parse_number<double>(value);
    if (type == "str") return value;
    if (type == "bool" && (value == "true" || value == "false")) return value == "true";
    return std::nullopt;
  }();
  if (!parsed) {
    fail(ErrorCode::kUsage,
         "override \"{}\": \"{}\" is no value of type {}; write int:7, float:0.5, bool:true or "
         "str:text",
         text, value, type);
  }
  value_ = *parsed;
}

void KeyOverride::apply_to(Metadata& metadata) const {
  const MetadataValue* before = metadata.find(key_);
  if (const auto* number = std::get_if<int64_t>(&value_)) {
    metadata.set(key_, integer(before, *number));
  } else if (const auto* real = std::get_if<double>(&value_)) {
    const bool is_double = before != nullptr && std::holds_alternative<double>(*before);
    metadata.set(key_, is_double ? MetadataValue(*real) : MetadataValue(static_cast<float>(*real)));
  } else if (const auto* truth = std::get_if<bool>(&value_)) {
    metadata.set(key_, *truth);
  } else {
    metadata.set(key_, std::get<std::string>(value_));
  }
}

}  // namespace nibble
