#include <algorithm>

#include "text/jinja/access.h"
#include "text/jinja/operators.h"

namespace nibble::jinja {
namespace {

bool equal_sequences(Runtime& runtime, const Sequence& a, const Sequence& b) {
  if (&a == &b) return true;
  if (a.type != b.type || !a.is_indexed()) return false;
  return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(),
                    [&](const Value& x, const Value& y) { return equal(runtime, x, y); });
}

bool equal_dicts(Runtime& runtime, const Dict& a, const Dict& b) {
  if (&a == &b) return true;
  if (a.size() != b.size()) return false;
  return std::all_of(a.entries().begin(), a.entries().end(), [&](const Dict::Entry& entry) {
    const Value* other = b.find(entry.first);
    return other != nullptr && equal(runtime, entry.second, *other);
  });
}

// Objects without contents of their own are equal to themselves only.
const void* address(const Value& value) {
  if (auto* const* object = std::get_if<Namespace*>(&value)) return *object;
  if (auto* const* object = std::get_if<Loop*>(&value)) return *object;
  return as<Callable>(value);
}

[[noreturn]] void fail_order(Runtime& runtime, Comparison comparison, const Value& a,
                             const Value& b) {
  constexpr std::string_view kSymbols[] = {"==", "!=", "<", "<=", ">", ">=", "in", "not in"};
  for (const Value* value : {&a, &b}) {
    if (const Undefined* undefined = as<Undefined>(*value)) {
      runtime.fail("{}", undefined->message);
    }
  }
  runtime.fail("'{}' not supported between instances of '{}' and '{}'",
               kSymbols[static_cast<size_t>(comparison)], type_name(a), type_name(b));
}

template <class T>
bool ordered(Comparison comparison, const T& a, const T& b) {
  switch (comparison) {
    case Comparison::kLess:
      return a < b;
    case Comparison::kLessEqual:
      return a <= b;
    case Comparison::kGreater:
      return a > b;
    default:
      return a >= b;
  }
}

// Lists and tuples are ordered by their first different items.
bool order_sequences(Runtime& runtime, Comparison comparison, const Sequence& a,
                     const Sequence& b) {
  const size_t common = std::min(a.items.size(), b.items.size());
  for (size_t i = 0; i < common; ++i) {
    if (!equal(runtime, a.items[i], b.items[i])) {
      return compare(runtime, comparison, a.items[i], b.items[i]);
    }
  }
  return ordered(comparison, a.items.size(), b.items.size());
}

bool order(Runtime& runtime, Comparison comparison, const Value& a, const Value& b) {
  const Runtime::Level level(runtime);
  int64_t i = 0, j = 0;
  if (to_int(a, i) && to_int(b, j)) return ordered(comparison, i, j);
  double x = 0, y = 0;
  if (to_float(a, x) && to_float(b, y)) return ordered(comparison, x, y);
  if (get_text(a) != nullptr && get_text(b) != nullptr) {
    runtime.charge(std::min(get_text(a)->text.size(), get_text(b)->text.size()) / 64);
    return ordered(comparison, get_text(a)->text.compare(get_text(b)->text), 0);
  }
  const Sequence* first = as<Sequence>(a);
  const Sequence* second = as<Sequence>(b);
  if (first == nullptr || second == nullptr || first->type != second->type ||
      first->type > SequenceType::kTuple) {
    fail_order(runtime, comparison, a, b);
  }
  return order_sequences(runtime, comparison, *first, *second);
}

}  // namespace

bool equal(Runtime& runtime, const Value& a, const Value& b) {
  const Runtime::Level level(runtime);
  if (a.index() == b.index()) {
    if (const String* text = get_text(a)) runtime.charge(text->text.size() / 64);
    if (const Sequence* sequence = as<Sequence>(a)) {
      return equal_sequences(runtime, *sequence, *as<Sequence>(b));
    }
    if (const Dict* dict = as<Dict>(a)) return equal_dicts(runtime, *dict, *as<Dict>(b));
    if (address(a) != nullptr) return address(a) == address(b);
  }
  return equal_scalars(a, b);
}

bool compare(Runtime& runtime, Comparison comparison, const Value& a, const Value& b) {
  switch (comparison) {
    case Comparison::kEqual:
      return equal(runtime, a, b);
    case Comparison::kNotEqual:
      return !equal(runtime, a, b);
    case Comparison::kIn:
      return contains(runtime, b, a);
    case Comparison::kNotIn:
      return !contains(runtime, b, a);
    default:
      return order(runtime, comparison, a, b);
  }
}

bool contains(Runtime& runtime, const Value& container, const Value& item) {
  if (const String* text = get_text(container)) {
    const String* part = get_text(item);
    if (part == nullptr) {
      runtime.fail("'in <string>' requires string as left operand, not {}", type_name(item));
    }
    runtime.charge(text->text.size() / 64);
    return text->text.find(part->text) != std::string::npos;
  }
  if (const Dict* dict = as<Dict>(container)) {
    return find_key(runtime, *dict, item) != nullptr;
  }
  if (is_undefined(container)) return false;
  const Sequence* sequence = as<Sequence>(container);
  if (sequence == nullptr) {
    runtime.fail("argument of type '{}' is not iterable", type_name(container));
  }
  const Values items = iterate(runtime, container);
  return std::any_of(items.begin(), items.end(),
                     [&](const Value& other) { return equal(runtime, other, item); });
}

}  // namespace nibble::jinja
