// An ordered dictionary of typed values: what GGUF stores before its tensors. The alternatives of
// Value stand in the order of GGUF's value type ids, so that value.index() is the id.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nibble {

struct MetadataArray;

using MetadataItems =
    std::variant<std::vector<uint8_t>, std::vector<int8_t>, std::vector<uint16_t>,
                 std::vector<int16_t>, std::vector<uint32_t>, std::vector<int32_t>,
                 std::vector<float>, std::vector<bool>, std::vector<std::string>,
                 std::vector<MetadataArray>, std::vector<uint64_t>, std::vector<int64_t>,
                 std::vector<double>>;

struct MetadataArray {
  MetadataItems items;
  size_t size() const;
  bool operator==(const MetadataArray&) const = default;
};

using MetadataValue = std::variant<uint8_t, int8_t, uint16_t, int16_t, uint32_t, int32_t, float,
                                   bool, std::string, MetadataArray, uint64_t, int64_t, double>;

class Metadata {
 public:
  using Entry = std::pair<std::string, MetadataValue>;

  // Where the values came from; error messages begin with it.
  const std::string& origin() const { return origin_; }
  void set_origin(std::string origin) { origin_ = std::move(origin); }

  const std::vector<Entry>& entries() const { return entries_; }
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  const MetadataValue* find(std::string_view key) const;  // nullptr: no such key
  void set(std::string key, MetadataValue value);         // replaces in place or appends
  // Without the search of set(): for readers that check a whole list of keys for duplicates.
  void append(std::string key, MetadataValue value) {
    entries_.emplace_back(std::move(key), std::move(value));
  }
  void erase(std::string_view key);

  // Typed access. Integers of any width and sign convert when the value fits; everything else must
  // have the type asked for. Missing key: std::nullopt (find_*) or Error kInvalidFile naming the
  // key (require_*). Wrong type or value out of range: Error kInvalidFile.
  std::optional<uint64_t> find_uint(std::string_view key) const;
  std::optional<double> find_float(std::string_view key) const;
  std::optional<bool> find_bool(std::string_view key) const;
  std::optional<std::string_view> find_string(std::string_view key) const;
  uint64_t require_uint(std::string_view key) const;
  double require_float(std::string_view key) const;
  std::string_view require_string(std::string_view key) const;

  // The items of an array of exactly T; nullptr when the key is missing.
  template <class T>
  const std::vector<T>* find_array(std::string_view key) const {
    const MetadataArray* array = find_any_array(key);
    if (array == nullptr) return nullptr;
    const auto* items = std::get_if<std::vector<T>>(&array->items);
    if (items == nullptr) fail_type(key, "an array of another element type");
    return items;
  }

 private:
  const MetadataArray* find_any_array(std::string_view key) const;
  [[noreturn]] void fail_type(std::string_view key, std::string_view expected) const;
  [[noreturn]] void fail_missing(std::string_view key) const;

  std::string origin_ = "metadata";
  std::vector<Entry> entries_;
};

// "u32", "string", "array" ...: the name of a value's type.
std::string_view metadata_type_name(const MetadataValue& value);

}  // namespace nibble
