#include "text/jinja/methods.h"

#include <algorithm>
#include <iterator>

#include "text/jinja/access.h"
#include "text/jinja/loop.h"
#include "text/jinja/operators.h"

namespace nibble::jinja {
namespace {

struct Method {
  std::string_view name;
  Builtin::Function function;
};

template <size_t n>
Builtin::Function find_in(const Method (&methods)[n], std::string_view name) {
  const auto* found = std::find_if(std::begin(methods), std::end(methods),
                                   [&](const Method& method) { return method.name == name; });
  return found == std::end(methods) ? nullptr : found->function;
}

template <size_t n>
bool is_one_of(const std::string_view (&names)[n], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// dict

Value dict_get(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "get", arguments, {"key", "default"}, 1);
  const Value* found = find_key(runtime, *as<Dict>(self), bound[0]);
  return found == nullptr ? bound[1] : *found;
}

Value view(Runtime& runtime, const Value& self, const Arguments& arguments, SequenceType type) {
  const Bound bound(runtime, "dict", arguments, {});
  Values items;
  for (const auto& [key, value] : as<Dict>(self)->entries()) {
    if (type == SequenceType::kItems) {
      items.emplace_back(runtime.sequence(SequenceType::kTuple, {key, value}));
    } else {
      items.push_back(type == SequenceType::kKeys ? key : value);
    }
  }
  return runtime.sequence(type, std::move(items));
}

template <SequenceType type>
Value dict_view(Runtime& runtime, const Value& self, const Arguments& arguments) {
  return view(runtime, self, arguments, type);
}

Value dict_copy(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "copy", arguments, {});
  return self;  // values do not change, so that nobody can tell
}

// list, tuple

Value sequence_count(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "count", arguments, {"value"}, 1);
  const Values& items = as<Sequence>(self)->items;
  return static_cast<int64_t>(std::count_if(items.begin(), items.end(), [&](const Value& item) {
    return equal(runtime, item, bound[0]);
  }));
}

Value sequence_index(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "index", arguments, {"value"}, 1);
  const Values& items = as<Sequence>(self)->items;
  for (size_t i = 0; i < items.size(); ++i) {
    if (equal(runtime, items[i], bound[0])) return static_cast<int64_t>(i);
  }
  runtime.fail("the value is not in the list");
}

// loop

Value loop_cycle(Runtime& runtime, const Value& self, const Arguments& arguments) {
  if (arguments.positional.empty()) runtime.fail("no items for cycling given");
  const auto turn = static_cast<size_t>(std::get<Loop*>(self)->index0());
  return arguments.positional[turn % arguments.positional.size()];
}

Value loop_changed(Runtime& runtime, const Value& self, const Arguments& arguments) {
  Loop& loop = *std::get<Loop*>(self);
  const Sequence* now = runtime.sequence(SequenceType::kTuple, arguments.positional);
  const Sequence* before = std::exchange(loop.last_changed, now);
  return before == nullptr || !equal(runtime, before, now);
}

constexpr Method kDictMethods[] = {{"get", dict_get},
                                   {"items", dict_view<SequenceType::kItems>},
                                   {"keys", dict_view<SequenceType::kKeys>},
                                   {"values", dict_view<SequenceType::kValues>},
                                   {"copy", dict_copy}};
constexpr Method kListMethods[] = {
    {"count", sequence_count}, {"index", sequence_index}, {"copy", dict_copy}};
constexpr Method kTupleMethods[] = {{"count", sequence_count}, {"index", sequence_index}};
constexpr Method kLoopMethods[] = {{"cycle", loop_cycle}, {"changed", loop_changed}};

constexpr std::string_view kDictChanges[] = {"clear", "pop", "popitem", "setdefault", "update"};
constexpr std::string_view kListChanges[] = {"append", "clear", "pop",    "reverse",
                                             "insert", "sort",  "extend", "remove"};
constexpr std::string_view kUnknownTextMethods[] = {"casefold",   "encode",       "expandtabs",
                                                    "format_map", "isidentifier", "isprintable",
                                                    "istitle",    "maketrans",    "translate"};

}  // namespace

Builtin::Function find_method(const Value& object, std::string_view name) {
  if (get_text(object) != nullptr) return find_text_method(name);
  if (as<Dict>(object) != nullptr) return find_in(kDictMethods, name);
  if (std::holds_alternative<Loop*>(object)) return find_in(kLoopMethods, name);
  const Sequence* sequence = as<Sequence>(object);
  if (sequence == nullptr) return nullptr;
  if (sequence->type == SequenceType::kList) return find_in(kListMethods, name);
  return sequence->is_indexed() ? find_in(kTupleMethods, name) : nullptr;
}

bool changes_value(const Value& object, std::string_view name) {
  if (as<Dict>(object) != nullptr) return is_one_of(kDictChanges, name);
  return get_sequence(object, SequenceType::kList) != nullptr && is_one_of(kListChanges, name);
}

bool is_unknown_method(const Value& object, std::string_view name) {
  if (get_text(object) != nullptr) return is_one_of(kUnknownTextMethods, name);
  return as<Dict>(object) != nullptr && name == "fromkeys";
}

}  // namespace nibble::jinja
