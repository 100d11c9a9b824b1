// Filters of containers as a whole.
#include <algorithm>

#include "text/jinja/access.h"
#include "text/jinja/characters.h"
#include "text/jinja/filters.h"
#include "text/jinja/item_path.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"

namespace nibble::jinja {
namespace {

Value count(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "length", arguments, {});
  const auto size = length(value);
  if (!size) runtime.fail("object of type '{}' has no len()", type_name(value));
  return static_cast<int64_t>(*size);
}

Value default_value(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "default", arguments, {"default_value", "boolean"});
  if (!is_undefined(value) && (!bound.truth(1, false) || is_true(value))) return value;
  return bound.has(0) ? bound[0] : runtime.text("");
}

Value first(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "first", arguments, {});
  const Values items = iterate(runtime, value);
  return items.empty() ? runtime.undefined("No first item, sequence was empty.") : items.front();
}

Value last(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "last", arguments, {});
  if (get_sequence(value, SequenceType::kGenerator) != nullptr) {
    runtime.fail("'generator' object is not reversible");
  }
  const Values items = iterate(runtime, value);
  return items.empty() ? runtime.undefined("No last item, sequence was empty.") : items.back();
}

Value list(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "list", arguments, {});
  return runtime.list(iterate(runtime, value));
}

Value join(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "join", arguments, {"d", "attribute"});
  const std::string separator = bound.has(0) ? to_text(runtime, bound[0]) : "";
  const ItemPath path(runtime, bound[1]);
  std::string out;
  bool is_first = true;
  for (const Value& item : iterate(runtime, value)) {
    const std::string text = to_text(runtime, path.follow(item));
    runtime.charge_bytes(text.size() + separator.size());
    if (!std::exchange(is_first, false)) out += separator;
    out += text;
  }
  return runtime.text(std::move(out));
}

Value reverse(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "reverse", arguments, {});
  if (get_text(value) != nullptr) return slice(runtime, value, None{}, None{}, int64_t{-1});
  if (!is_iterable(value)) runtime.fail("argument must be iterable");
  Values items = iterate(runtime, value);
  std::reverse(items.begin(), items.end());
  const bool generator = get_sequence(value, SequenceType::kGenerator) != nullptr;
  // Python reverses a generator into a list, everything else as it is walked through.
  return runtime.sequence(generator ? SequenceType::kList : SequenceType::kGenerator,
                          std::move(items));
}

Values pairs(Runtime& runtime, const Value& value) {
  Values result;
  for (const auto& [key, item] : as<Dict>(value)->entries()) {
    result.emplace_back(runtime.sequence(SequenceType::kTuple, {key, item}));
  }
  return result;
}

Value items(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "items", arguments, {});
  if (is_undefined(value)) return runtime.sequence(SequenceType::kGenerator, {});
  if (as<Dict>(value) == nullptr) runtime.fail("Can only get item pairs from a mapping.");
  return runtime.sequence(SequenceType::kGenerator, pairs(runtime, value));
}

Value dictsort(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "dictsort", arguments, {"case_sensitive", "by", "reverse"});
  const std::string_view by = bound.text(1, "key");
  if (by != "key" && by != "value") {
    runtime.fail("You can only sort by either \"key\" or \"value\"");
  }
  if (as<Dict>(value) == nullptr) {
    if (const Undefined* undefined = as<Undefined>(value)) runtime.fail("{}", undefined->message);
    runtime.fail("'{}' object has no attribute 'items'", type_name(value));
  }
  Values keys;
  Values entries = pairs(runtime, value);
  for (const Value& entry : entries) {
    const Value& key = as<Sequence>(entry)->items[by == "key" ? 0 : 1];
    keys.push_back(bound.truth(0, false) ? key : ignore_case(runtime, key));
  }
  return runtime.list(sorted(runtime, std::move(entries), keys, bound.truth(2, false)));
}

Value batch(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "batch", arguments, {"linecount", "fill_with"}, 1);
  const int64_t size = bound.integer(0, 0);
  Values rows, row;
  for (const Value& item : iterate(runtime, value)) {
    if (static_cast<int64_t>(row.size()) == size) {
      rows.emplace_back(runtime.list(std::exchange(row, {})));
    }
    row.push_back(item);
  }
  if (!row.empty()) {
    const int64_t missing = size - static_cast<int64_t>(row.size());
    if (!is_none(bound[1]) && missing > 0) {
      runtime.charge_bytes(static_cast<size_t>(missing));
      row.insert(row.end(), static_cast<size_t>(missing), bound[1]);
    }
    rows.emplace_back(runtime.list(std::move(row)));
  }
  return runtime.sequence(SequenceType::kGenerator, std::move(rows));
}

Value slices(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "slice", arguments, {"slices", "fill_with"}, 1);
  const Values all = iterate(runtime, value);
  const int64_t count_of_slices = bound.integer(0, 0);
  if (count_of_slices == 0) runtime.fail("integer division or modulo by zero");
  const auto columns = static_cast<size_t>(std::max<int64_t>(count_of_slices, 0));
  Values result;
  size_t start = 0;
  for (size_t i = 0; i < columns; ++i) {
    runtime.charge(1);
    const bool longer = i < all.size() % columns;
    const size_t end = start + all.size() / columns + (longer ? 1 : 0);
    Values column(all.begin() + static_cast<ptrdiff_t>(start),
                  all.begin() + static_cast<ptrdiff_t>(end));
    if (!is_none(bound[1]) && !longer) column.push_back(bound[1]);
    result.emplace_back(runtime.list(std::move(column)));
    start = end;
  }
  return runtime.sequence(SequenceType::kGenerator, std::move(result));
}

Value sum(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "sum", arguments, {"attribute", "start"});
  const ItemPath path(runtime, bound[0]);
  Value total = bound.value_or(1, int64_t{0});
  if (get_text(total) != nullptr) {
    runtime.fail("sum() can't sum strings [use ''.join(seq) instead]");
  }
  for (const Value& item : iterate(runtime, value)) {
    total = arithmetic(runtime, Arithmetic::kAdd, total, path.follow(item));
  }
  return total;
}

Value attr(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "attr", arguments, {"name"}, 1);
  // Unlike value.name it does not look for an element of that name.
  if (as<Dict>(value) == nullptr) return attribute(runtime, value, bound.text(0, ""));
  const Value empty = runtime.dict();
  return attribute(runtime, empty, bound.text(0, ""));
}

constexpr FilterRow kFilters[] = {
    {"attr", attr},       {"batch", batch},           {"count", count},
    {"d", default_value}, {"default", default_value}, {"dictsort", dictsort},
    {"first", first},     {"items", items},           {"join", join},
    {"last", last},       {"length", count},          {"list", list},
    {"reverse", reverse}, {"slice", slices},          {"sum", sum},
};

}  // namespace

std::span<const FilterRow> item_filters() { return kFilters; }

}  // namespace nibble::jinja
