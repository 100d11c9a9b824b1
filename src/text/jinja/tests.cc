#include "text/jinja/tests.h"

#include <algorithm>
#include <iterator>

#include "text/jinja/access.h"
#include "text/jinja/filters.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/split_text.h"

namespace nibble::jinja {
namespace {

// Tests of a value alone.
template <bool (*holds)(const Value&)>
bool alone(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "test", arguments, {});
  return holds(value);
}

bool is_defined(const Value& value) { return !is_undefined(value); }
bool is_boolean(const Value& value) { return std::holds_alternative<bool>(value); }
bool is_false(const Value& value) { return is_boolean(value) && !std::get<bool>(value); }
bool is_the_true(const Value& value) { return is_boolean(value) && std::get<bool>(value); }
bool is_integer(const Value& value) { return get_int(value) != nullptr; }
bool is_float(const Value& value) { return std::holds_alternative<double>(value); }
bool is_string(const Value& value) { return get_text(value) != nullptr; }
bool is_mapping(const Value& value) { return as<Dict>(value) != nullptr; }
bool is_callable(const Value& value) { return as<Callable>(value) != nullptr; }
bool is_escaped(const Value& value) { return is_string(value) && get_text(value)->safe; }

bool is_sequence(const Value& value) {
  const Sequence* sequence = as<Sequence>(value);
  return (sequence != nullptr && sequence->is_indexed()) || is_string(value) || is_mapping(value) ||
         is_undefined(value);
}

template <Comparison comparison>
bool compared(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "test", arguments, {"other"}, 1);
  return compare(runtime, comparison, value, bound[0]);
}

bool has_remainder(Runtime& runtime, const Value& value, const Value& divisor, int64_t remainder) {
  const Value rest = arithmetic(runtime, Arithmetic::kModulo, value, divisor);
  return equal(runtime, rest, remainder);
}

template <int64_t remainder>
bool halves(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "test", arguments, {});
  return has_remainder(runtime, value, int64_t{2}, remainder);
}

bool is_divisible(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "divisibleby", arguments, {"num"}, 1);
  return has_remainder(runtime, value, bound[0], 0);
}

template <bool upper>
bool is_case(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "test", arguments, {});
  return is_in_case(to_text(runtime, value), upper);
}

// The same object: none, true and false are single, other values are compared by where they lie.
bool is_same(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "sameas", arguments, {"other"}, 1);
  if (value.index() != bound[0].index()) return false;
  if (as<Sequence>(value) != nullptr) return as<Sequence>(value) == as<Sequence>(bound[0]);
  if (as<Dict>(value) != nullptr) return as<Dict>(value) == as<Dict>(bound[0]);
  return equal(runtime, value, bound[0]);
}

bool is_filter(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "filter", arguments, {});
  return is_string(value) && find_filter(get_text(value)->text) != nullptr;
}

bool is_test(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "test", arguments, {});
  return is_string(value) && find_test(get_text(value)->text) != nullptr;
}

struct Row {
  std::string_view name;
  Test test;
};

constexpr Row kTests[] = {
    {"!=", compared<Comparison::kNotEqual>},
    {"<", compared<Comparison::kLess>},
    {"<=", compared<Comparison::kLessEqual>},
    {"==", compared<Comparison::kEqual>},
    {">", compared<Comparison::kGreater>},
    {">=", compared<Comparison::kGreaterEqual>},
    {"boolean", alone<is_boolean>},
    {"callable", alone<is_callable>},
    {"defined", alone<is_defined>},
    {"divisibleby", is_divisible},
    {"eq", compared<Comparison::kEqual>},
    {"equalto", compared<Comparison::kEqual>},
    {"escaped", alone<is_escaped>},
    {"even", halves<0>},
    {"false", alone<is_false>},
    {"filter", is_filter},
    {"float", alone<is_float>},
    {"ge", compared<Comparison::kGreaterEqual>},
    {"greaterthan", compared<Comparison::kGreater>},
    {"gt", compared<Comparison::kGreater>},
    {"in", compared<Comparison::kIn>},
    {"integer", alone<is_integer>},
    {"iterable", alone<is_iterable>},
    {"le", compared<Comparison::kLessEqual>},
    {"lessthan", compared<Comparison::kLess>},
    {"lower", is_case<false>},
    {"lt", compared<Comparison::kLess>},
    {"mapping", alone<is_mapping>},
    {"ne", compared<Comparison::kNotEqual>},
    {"none", alone<is_none>},
    {"number", alone<is_number>},
    {"odd", halves<1>},
    {"sameas", is_same},
    {"sequence", alone<is_sequence>},
    {"string", alone<is_string>},
    {"test", is_test},
    {"true", alone<is_the_true>},
    {"undefined", alone<is_undefined>},
    {"upper", is_case<true>},
};

}  // namespace

Test find_test(std::string_view name) {
  const auto* found = std::find_if(std::begin(kTests), std::end(kTests),
                                   [&](const Row& row) { return row.name == name; });
  return found == std::end(kTests) ? nullptr : found->test;
}

}  // namespace nibble::jinja
