#include "text/jinja/access.h"

#include <algorithm>
#include <cstdlib>

#include "text/jinja/callable.h"
#include "text/jinja/characters.h"
#include "text/jinja/loop.h"
#include "text/jinja/methods.h"
#include "text/jinja/print.h"

namespace nibble::jinja {
namespace {

// How Jinja names the object in messages about what it does not have.
std::string described(const Value& object) {
  if (is_none(object)) return "None";
  if (std::holds_alternative<Namespace*>(object)) return "jinja2.utils.Namespace object";
  if (std::holds_alternative<Loop*>(object)) return "jinja2.runtime.LoopContext object";
  return fmt::format("{} object", type_name(object));
}

Value missing(Runtime& runtime, const Value& object, const Value& key) {
  const String* name = get_text(key);
  return runtime.undefined(
      name == nullptr
          ? fmt::format("{} has no element {}", described(object), repr(runtime, key))
          : fmt::format("'{}' has no attribute {}", described(object), quote(name->text)));
}

Value unsafe(Runtime& runtime, const Value& object, std::string_view name) {
  return runtime.undefined(fmt::format("access to attribute {} of '{}' object is unsafe.",
                                       quote(name), type_name(object)));
}

Value loop_attribute(Runtime& runtime, const Value& self, Loop& loop, std::string_view name,
                     bool& found) {
  found = true;
  if (name == "index") return loop.index0() + 1;
  if (name == "index0") return loop.index0();
  if (name == "first") return loop.index0() == 0;
  if (name == "last") return loop.following() == nullptr;
  if (name == "length") return loop.length();
  if (name == "revindex") return loop.length() - loop.index0();
  if (name == "revindex0") return loop.length() - loop.index0() - 1;
  if (name == "depth") return loop.depth0() + 1;
  if (name == "depth0") return loop.depth0();
  if (name == "previtem") {
    const Value* item = loop.previous();
    return item == nullptr ? runtime.undefined("there is no previous item") : *item;
  }
  if (name == "nextitem") {
    const Value* item = loop.following();
    return item == nullptr ? runtime.undefined("there is no next item") : *item;
  }
  if (const auto method = find_method(self, name)) return runtime.make<Builtin>(method, self);
  found = false;
  return None{};
}

// What getattr() finds: methods, and the attributes of namespaces and loops.
Value own_attribute(Runtime& runtime, const Value& object, std::string_view name, bool& found) {
  found = true;
  if (auto* const* loop = std::get_if<Loop*>(&object)) {
    return loop_attribute(runtime, object, **loop, name, found);
  }
  if (auto* const* attributes = std::get_if<Namespace*>(&object)) {
    runtime.charge((*attributes)->attributes.size() / 16);
    const Value* value = (*attributes)->find(name);
    found = value != nullptr;
    if (!found) return None{};
    return name.starts_with('_') ? unsafe(runtime, object, name) : *value;
  }
  if (name.starts_with("__") && name.ends_with("__")) return unsafe(runtime, object, name);
  if (changes_value(object, name)) return unsafe(runtime, object, name);
  if (const auto method = find_method(object, name)) return runtime.make<Builtin>(method, object);
  if (is_unknown_method(object, name)) {
    runtime.fail("the method {}.{}() is not supported here", type_name(object), name);
  }
  found = false;
  return None{};
}

// object[key] of Python; nullopt where that raises a TypeError or LookupError.
std::optional<Value> item_of(Runtime& runtime, const Value& object, const Value& key) {
  if (const Dict* dict = as<Dict>(object)) {
    if (!is_key(key)) return std::nullopt;
    const Value* found = find_key(runtime, *dict, key);
    return found == nullptr ? std::nullopt : std::optional(*found);
  }
  int64_t index = 0;
  const auto size = length(object);
  if (!size || !to_int(key, index)) return std::nullopt;
  if (index < 0) index += static_cast<int64_t>(*size);
  if (index < 0 || index >= static_cast<int64_t>(*size)) return std::nullopt;
  if (const String* text = get_text(object)) {
    if (text->is_ascii()) return runtime.text(text->text.substr(index, 1));
    runtime.charge(text->text.size() / 64);
    size_t at = character_offset(text->text, index);
    const size_t start = at;
    next_character(text->text, at);
    return runtime.text(text->text.substr(start, at - start));
  }
  const Sequence* sequence = as<Sequence>(object);
  if (sequence == nullptr || !sequence->is_indexed()) return std::nullopt;
  return sequence->items[index];
}

int64_t bound(Runtime& runtime, const Value& value, int64_t otherwise) {
  int64_t result = otherwise;
  if (!is_none(value) && !to_int(value, result)) {
    runtime.fail("slice indices must be integers or None or have an __index__ method");
  }
  return result;
}

struct SliceRange {
  int64_t start, step;
  size_t count;
};

// What a slice of `size` items takes, as Python's slice.indices().
SliceRange slice_range(Runtime& runtime, int64_t size, const Value& start_value,
                       const Value& stop_value, const Value& step_value) {
  const int64_t step = bound(runtime, step_value, 1);
  if (step == 0) runtime.fail("slice step cannot be zero");
  const int64_t low = step > 0 ? 0 : -1;
  const int64_t high = step > 0 ? size : size - 1;
  const auto limit = [&](const Value& value, int64_t otherwise) {
    if (is_none(value)) return otherwise;
    const int64_t position = bound(runtime, value, 0);
    return std::clamp(position < 0 ? position + size : position, low, high);
  };
  const int64_t start = limit(start_value, step > 0 ? low : high);
  const int64_t stop = limit(stop_value, step > 0 ? high : low);
  const int64_t span = step > 0 ? stop - start : start - stop;
  if (span <= 0) return {0, 1, 0};
  // Steps longer than the text take one item; so clamped, they can be negated.
  const int64_t stride = std::clamp(step, -size, size);
  return {start, stride, static_cast<size_t>((span - 1) / std::abs(stride)) + 1};
}

Value slice_text(Runtime& runtime, const String& text, const SliceRange& range) {
  runtime.charge_bytes(range.count);
  if (range.step == 1) {
    const auto offset = [&](size_t i) {
      return text.is_ascii() ? i : character_offset(text.text, i);
    };
    const size_t start = offset(static_cast<size_t>(range.start));
    const size_t end = offset(static_cast<size_t>(range.start) + range.count);
    return runtime.text(text.text.substr(start, end - start), text.safe);
  }
  runtime.charge_bytes(text.length * sizeof(char32_t));
  std::vector<char32_t> characters;
  for (size_t at = 0; at < text.text.size();) characters.push_back(next_character(text.text, at));
  std::string out;
  for (size_t i = 0; i < range.count; ++i) {
    append_character(out, characters[range.start + static_cast<int64_t>(i) * range.step]);
  }
  return runtime.text(std::move(out), text.safe);
}

Values characters(Runtime& runtime, const String& text) {
  Values items;
  for (size_t at = 0; at < text.text.size();) {
    const size_t start = at;
    next_character(text.text, at);
    items.emplace_back(runtime.text(text.text.substr(start, at - start)));
  }
  return items;
}

}  // namespace

Value attribute(Runtime& runtime, const Value& object, std::string_view name) {
  if (const Undefined* undefined = as<Undefined>(object)) runtime.fail("{}", undefined->message);
  bool found = false;
  Value value = own_attribute(runtime, object, name, found);
  if (found) return value;
  if (const Dict* dict = as<Dict>(object)) {
    if (const Value* entry = dict->find(name)) return *entry;
  }
  return missing(runtime, object, runtime.text(std::string(name)));
}

Value element(Runtime& runtime, const Value& object, const Value& key) {
  if (const Undefined* undefined = as<Undefined>(object)) runtime.fail("{}", undefined->message);
  if (const auto item = item_of(runtime, object, key)) return *item;
  if (const String* name = get_text(key)) {
    bool found = false;
    Value value = own_attribute(runtime, object, name->text, found);
    if (found) return value;
  }
  return missing(runtime, object, key);
}

Value slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop,
            const Value& step) {
  if (const Undefined* undefined = as<Undefined>(object)) runtime.fail("{}", undefined->message);
  const String* text = get_text(object);
  const Sequence* sequence = as<Sequence>(object);
  if (as<Dict>(object) != nullptr) runtime.fail("unhashable type: 'slice'");
  if (text == nullptr && (sequence == nullptr || !sequence->is_indexed())) {
    runtime.fail("'{}' object is not subscriptable", type_name(object));
  }
  const auto size = static_cast<int64_t>(*length(object));
  const SliceRange range = slice_range(runtime, size, start, stop, step);
  if (text != nullptr) return slice_text(runtime, *text, range);
  Values items(range.count);
  for (size_t i = 0; i < range.count; ++i) {
    items[i] = sequence->items[range.start + static_cast<int64_t>(i) * range.step];
  }
  return runtime.sequence(sequence->type, std::move(items));
}

Values iterate(Runtime& runtime, const Value& value) {
  if (const String* text = get_text(value)) return characters(runtime, *text);
  if (const Sequence* sequence = as<Sequence>(value)) {
    runtime.charge(sequence->items.size() / 4);
    if (sequence->type != SequenceType::kGenerator) return sequence->items;
    return std::exchange(sequence->consumed, true) ? Values{} : sequence->items;
  }
  if (const Dict* dict = as<Dict>(value)) {
    runtime.charge(dict->size());
    Values keys;
    for (const auto& entry : dict->entries()) keys.push_back(entry.first);
    return keys;
  }
  if (is_undefined(value)) return {};
  runtime.fail("'{}' object is not iterable", type_name(value));
}

bool is_iterable(const Value& value) {
  return get_text(value) != nullptr || as<Sequence>(value) != nullptr ||
         as<Dict>(value) != nullptr || is_undefined(value) || std::holds_alternative<Loop*>(value);
}

std::optional<size_t> length(const Value& value) {
  if (const String* text = get_text(value)) return text->length;
  if (const Dict* dict = as<Dict>(value)) return dict->size();
  if (is_undefined(value)) return 0;
  if (auto* const* loop = std::get_if<Loop*>(&value)) return (*loop)->length();
  const Sequence* sequence = as<Sequence>(value);
  if (sequence == nullptr || sequence->type == SequenceType::kGenerator) return std::nullopt;
  return sequence->items.size();
}

const Value* find_key(Runtime& runtime, const Dict& dict, const Value& key) {
  if (is_undefined(key)) return nullptr;
  if (!is_key(key)) runtime.fail("unhashable type: '{}'", type_name(key));
  runtime.charge(get_text(key) == nullptr ? dict.size() / 16 : 0);
  return dict.find(key);
}

}  // namespace nibble::jinja
