// The values of a template, which are Python's: a Value is a small handle, what it points to lives
// until the rendering ends (runtime.h). Everything but a namespace and a generator's position stays
// as it was made, as in Jinja's immutable sandbox.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace nibble::jinja {

struct Undefined;
struct None {};
struct String;
struct Sequence;
class Dict;
struct Namespace;
struct Callable;
struct Loop;

using Value = std::variant<const Undefined*, None, bool, int64_t, double, const String*,
                           const Sequence*, const Dict*, Namespace*, const Callable*, Loop*>;
using Values = std::vector<Value>;

// What a rendering owns.
struct Object {
  virtual ~Object() = default;
};

// The result of a name, attribute or element that is not there: prints as nothing, is false and
// empty, and everything else done with it is an error with this message.
struct Undefined final : Object {
  explicit Undefined(std::string text) : message(std::move(text)) {}
  std::string message;
};

struct String final : Object {
  explicit String(std::string value, bool is_safe = false);
  bool is_ascii() const { return length == text.size(); }

  std::string text;  // valid UTF-8
  size_t length;     // in characters (code points), which is what Python counts
  bool safe;         // Markup: made by the filters safe and escape
};

enum class SequenceType { kList, kTuple, kRange, kGenerator, kKeys, kValues, kItems };

struct Sequence final : Object {
  Sequence(SequenceType kind, Values values) : type(kind), items(std::move(values)) {}
  bool is_indexed() const { return type <= SequenceType::kRange; }

  SequenceType type;
  Values items;
  mutable bool consumed = false;  // a generator can be walked through once
};

// In order of insertion; keys are equal as Python's are (1, 1.0 and true are one key).
class Dict final : public Object {
 public:
  using Entry = std::pair<Value, Value>;

  const std::vector<Entry>& entries() const { return entries_; }
  size_t size() const { return entries_.size(); }
  const Value* find(std::string_view key) const;  // nullptr: no such key
  const Value* find(const Value& key) const;      // is_key(key)
  void set(const Value& key, const Value& value);

 private:
  size_t position(const Value& key) const;  // size(): not there

  std::vector<Entry> entries_;
  std::unordered_map<std::string_view, size_t> texts_;  // entries whose key is text
};

struct Namespace final : Object {
  std::vector<std::pair<std::string, Value>> attributes;  // in order of insertion
  const Value* find(std::string_view name) const;
  void set(std::string_view name, const Value& value);
};

// The name of the value's type in Python: "str", "NoneType", "dict" ...
std::string_view type_name(const Value& value);

bool is_true(const Value& value);
bool is_number(const Value& value);  // bool, int, float
// What can be a dict's key: text, numbers, none, and tuples of these.
bool is_key(const Value& value);
bool equal_keys(const Value& a, const Value& b);
bool equal_scalars(const Value& a, const Value& b);  // as above, or both undefined

template <class T>
const T* as(const Value& value) {
  const auto* found = std::get_if<const T*>(&value);
  return found == nullptr ? nullptr : *found;
}

inline bool is_none(const Value& value) { return std::holds_alternative<None>(value); }
inline bool is_undefined(const Value& value) {
  return std::holds_alternative<const Undefined*>(value);
}
inline const String* get_text(const Value& value) { return as<String>(value); }
inline const int64_t* get_int(const Value& value) { return std::get_if<int64_t>(&value); }

const Sequence* get_sequence(const Value& value, SequenceType type);  // nullptr: another type

// Numbers as Python's arithmetic converts them; false: the value is of another type.
bool to_int(const Value& value, int64_t& result);   // bool, int
bool to_float(const Value& value, double& result);  // bool, int, float

}  // namespace nibble::jinja
