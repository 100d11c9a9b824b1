#include "base/metadata.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "base/error.h"

namespace nibble {

size_t MetadataArray::size() const {
  return std::visit([](const auto& list) { return list.size(); }, items);
}

std::string_view metadata_type_name(const MetadataValue& value) {
  static constexpr std::array<std::string_view, 13> kNames = {
      "u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
      "bool", "string", "array", "u64", "i64", "f64"};
  return kNames[value.index()];
}

const MetadataValue* Metadata::find(std::string_view key) const {
  const auto entry = std::ranges::find(entries_, key, &Entry::first);
  return entry == entries_.end() ? nullptr : &entry->second;
}

void Metadata::set(std::string key, MetadataValue value) {
  const auto entry = std::ranges::find(entries_, key, &Entry::first);
  if (entry != entries_.end()) {
    entry->second = std::move(value);
  } else {
    entries_.emplace_back(std::move(key), std::move(value));
  }
}

void Metadata::erase(std::string_view key) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.first == key; });
}

void Metadata::fail_type(std::string_view key, std::string_view expected) const {
  const MetadataValue* value = find(key);
  fail(ErrorCode::kInvalidFile, "{}: {}: found a value of type {}, expected {}", origin_, key,
       value == nullptr ? "none" : metadata_type_name(*value), expected);
}

void Metadata::fail_missing(std::string_view key) const {
  fail(ErrorCode::kInvalidFile, "{}: {} is missing", origin_, key);
}

std::optional<uint64_t> Metadata::find_uint(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      [&](const auto& held) -> std::optional<uint64_t> {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
          if (std::is_unsigned_v<T> || held >= T{}) return static_cast<uint64_t>(held);
        }
        fail_type(key, "an integer that is not negative");
      },
      *value);
}

std::optional<double> Metadata::find_float(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* f32 = std::get_if<float>(value)) return *f32;
  if (const auto* f64 = std::get_if<double>(value)) return *f64;
  fail_type(key, "a floating-point number");
}

std::optional<bool> Metadata::find_bool(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* held = std::get_if<bool>(value)) return *held;
  fail_type(key, "a bool");
}

std::optional<std::string_view> Metadata::find_string(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* held = std::get_if<std::string>(value)) return *held;
  fail_type(key, "a string");
}

uint64_t Metadata::require_uint(std::string_view key) const {
  if (const auto value = find_uint(key)) return *value;
  fail_missing(key);
}

double Metadata::require_float(std::string_view key) const {
  if (const auto value = find_float(key)) return *value;
  fail_missing(key);
}

std::string_view Metadata::require_string(std::string_view key) const {
  if (const auto value = find_string(key)) return *value;
  fail_missing(key);
}

const MetadataArray* Metadata::find_any_array(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return nullptr;
  if (const auto* array = std::get_if<MetadataArray>(value)) return array;
  fail_type(key, "an array");
}

}  // namespace nibble
