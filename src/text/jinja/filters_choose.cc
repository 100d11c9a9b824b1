// Filters that look at each item: choosing, mapping, ordering, grouping.
#include <algorithm>

#include "text/jinja/access.h"
#include "text/jinja/filters.h"
#include "text/jinja/item_path.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/tests.h"

namespace nibble::jinja {
namespace {

Arguments behind(const Arguments& arguments, size_t count) {
  Arguments rest;
  rest.named = arguments.named;
  const auto& given = arguments.positional;
  rest.positional.assign(given.begin() + static_cast<ptrdiff_t>(std::min(count, given.size())),
                         given.end());
  return rest;
}

[[noreturn]] void fail_unknown(Runtime& runtime, std::string_view kind, const Value& name) {
  if (const Undefined* undefined = as<Undefined>(name)) {
    runtime.fail("No {} named Undefined. ({}; did you forget to quote the callable name?)", kind,
                 undefined->message);
  }
  runtime.fail("No {} named {}.", kind, repr(runtime, name));
}

// select, reject, selectattr, rejectattr: items that a test (given by name, with its arguments; by
// itself the truth) holds for, or does not.
template <bool wanted, bool of_attribute>
Value choose(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const auto& given = arguments.positional;
  if (!is_true(value)) return runtime.sequence(SequenceType::kGenerator, {});
  if (of_attribute && given.empty()) runtime.fail("Missing parameter for attribute name");
  const size_t name = of_attribute ? 1 : 0;
  const ItemPath path(runtime, of_attribute ? given[0] : Value(None{}));
  Test test = nullptr;
  if (given.size() > name) {
    const String* text = get_text(given[name]);
    test = text == nullptr ? nullptr : find_test(text->text);
    if (test == nullptr) fail_unknown(runtime, "test", given[name]);
  }
  const Arguments rest = behind(arguments, name + 1);
  Values chosen;
  for (const Value& item : iterate(runtime, value)) {
    const Runtime::Level level(runtime);
    const Value looked_at = path.follow(item);
    const bool holds = test == nullptr ? is_true(looked_at) : test(runtime, looked_at, rest);
    if (holds == wanted) chosen.push_back(item);
  }
  return runtime.sequence(SequenceType::kGenerator, std::move(chosen));
}

Value map_attribute(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "map", arguments, {"attribute", "default"});
  const ItemPath path(runtime, bound[0]);
  Values result;
  for (const Value& item : iterate(runtime, value)) result.push_back(path.follow(item, bound[1]));
  return runtime.sequence(SequenceType::kGenerator, std::move(result));
}

Value map(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const auto& given = arguments.positional;
  if (!is_true(value)) return runtime.sequence(SequenceType::kGenerator, {});
  const bool by_attribute =
      std::any_of(arguments.named.begin(), arguments.named.end(),
                  [](const auto& argument) { return argument.first == "attribute"; });
  if (given.empty() && by_attribute) return map_attribute(runtime, value, arguments);
  if (given.empty()) runtime.fail("map requires a filter argument");
  const String* name = get_text(given[0]);
  const Filter filter = name == nullptr ? nullptr : find_filter(name->text);
  if (filter == nullptr) fail_unknown(runtime, "filter", given[0]);
  const Arguments rest = behind(arguments, 1);
  Values result;
  for (const Value& item : iterate(runtime, value)) {
    const Runtime::Level level(runtime);  // a filter may be map again
    result.push_back(filter(runtime, item, rest));
  }
  return runtime.sequence(SequenceType::kGenerator, std::move(result));
}

// The keys that items are ordered by; `attribute` may be several, with commas.
Values sort_keys(Runtime& runtime, const Values& items, const Value& attribute, bool exact) {
  std::vector<ItemPath> paths;
  const String* text = get_text(attribute);
  if (text == nullptr) {
    paths.emplace_back(runtime, attribute);
  } else {
    std::string_view rest = text->text;
    for (size_t comma = 0; (comma = rest.find(',')) != rest.npos; rest.remove_prefix(comma + 1)) {
      paths.emplace_back(runtime, runtime.text(std::string(rest.substr(0, comma))));
    }
    paths.emplace_back(runtime, runtime.text(std::string(rest)));
  }
  Values keys;
  for (const Value& item : items) {
    Values key;
    for (const ItemPath& path : paths) {
      const Value part = path.follow(item);
      key.push_back(exact ? part : ignore_case(runtime, part));
    }
    keys.push_back(key.size() == 1 ? key[0] : runtime.list(std::move(key)));
  }
  return keys;
}

Value sort(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "sort", arguments, {"reverse", "case_sensitive", "attribute"});
  Values items = iterate(runtime, value);
  const Values keys = sort_keys(runtime, items, bound[2], bound.truth(1, false));
  return runtime.list(sorted(runtime, std::move(items), keys, bound.truth(0, false)));
}

Value unique(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "unique", arguments, {"case_sensitive", "attribute"});
  const ItemPath path(runtime, bound[1]);
  Dict* seen = runtime.dict();
  Values result;
  for (const Value& item : iterate(runtime, value)) {
    Value key = path.follow(item);
    if (!bound.truth(0, false)) key = ignore_case(runtime, key);
    if (find_key(runtime, *seen, key) != nullptr) continue;
    runtime.set(seen, key, None{});
    result.push_back(item);
  }
  return runtime.sequence(SequenceType::kGenerator, std::move(result));
}

template <bool largest>
Value extreme(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "min", arguments, {"case_sensitive", "attribute"});
  const ItemPath path(runtime, bound[1]);
  const Values items = iterate(runtime, value);
  if (items.empty()) return runtime.undefined("No aggregated item, sequence was empty.");
  Value best, best_key;
  for (size_t i = 0; i < items.size(); ++i) {
    Value key = path.follow(items[i]);
    if (!bound.truth(0, false)) key = ignore_case(runtime, key);
    const auto better = largest ? Comparison::kGreater : Comparison::kLess;
    if (i != 0 && !compare(runtime, better, key, best_key)) continue;
    best = items[i];
    best_key = key;
  }
  return best;
}

// Pairs of a value of the attribute and the list of items that have it, in its order.
Value groupby(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "groupby", arguments, {"attribute", "default", "case_sensitive"}, 1);
  const ItemPath path(runtime, bound[0]);
  const bool exact = bound.truth(2, false);
  const auto key_of = [&](const Value& item) {
    const Value found = path.follow(item, bound[1]);
    return exact ? found : ignore_case(runtime, found);
  };
  Values items = iterate(runtime, value), keys;
  for (const Value& item : items) keys.push_back(key_of(item));
  items = sorted(runtime, std::move(items), keys, false);
  Values groups, group;
  const auto close = [&] {
    const Value label = path.follow(group.front(), bound[1]);
    groups.emplace_back(
        runtime.sequence(SequenceType::kTuple, {label, runtime.list(std::exchange(group, {}))}));
  };
  for (const Value& item : items) {
    if (!group.empty() && !equal(runtime, key_of(group.front()), key_of(item))) close();
    group.push_back(item);
  }
  if (!group.empty()) close();
  return runtime.list(std::move(groups));
}

constexpr FilterRow kFilters[] = {
    {"groupby", groupby},
    {"map", map},
    {"max", extreme<true>},
    {"min", extreme<false>},
    {"reject", choose<false, false>},
    {"rejectattr", choose<false, true>},
    {"select", choose<true, false>},
    {"selectattr", choose<true, true>},
    {"sort", sort},
    {"unique", unique},
};

}  // namespace

std::span<const FilterRow> choosing_filters() { return kFilters; }

}  // namespace nibble::jinja
