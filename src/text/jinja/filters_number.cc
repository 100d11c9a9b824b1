// Filters that make numbers.
#include <cmath>
#include <optional>

#include "text/jinja/filters.h"
#include "text/jinja/operators.h"
#include "text/jinja/parse_number.h"

namespace nibble::jinja {
namespace {

void check_defined(Runtime& runtime, const Value& value) {
  if (const Undefined* undefined = as<Undefined>(value)) runtime.fail("{}", undefined->message);
}

std::optional<double> as_float(Runtime& runtime, const Value& value) {
  check_defined(runtime, value);
  double number = 0;
  if (to_float(value, number)) return number;
  const String* text = get_text(value);
  return text == nullptr ? std::nullopt : parse_float(text->text);
}

std::optional<int64_t> truncated(Runtime& runtime, double value) {
  if (!std::isfinite(value)) return std::nullopt;
  if (!(std::abs(value) < 9.2e18)) {
    runtime.fail("an integer is too large: Nibble computes with 64 bits");
  }
  return static_cast<int64_t>(value);
}

Value to_integer(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "int", arguments, {"default", "base"});
  check_defined(runtime, value);
  int64_t integer = 0;
  if (to_int(value, integer)) return integer;
  if (const String* text = get_text(value)) {
    if (const auto parsed = parse_integer(text->text, bound.integer(1, 10))) return *parsed;
  }
  const auto number = as_float(runtime, value);
  const auto whole = number ? truncated(runtime, *number) : std::nullopt;
  return whole ? Value(*whole) : bound.value_or(0, int64_t{0});
}

Value to_real(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "float", arguments, {"default"});
  const auto number = as_float(runtime, value);
  return number ? Value(*number) : bound.value_or(0, 0.0);
}

Value absolute(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "abs", arguments, {});
  if (const double* real = std::get_if<double>(&value)) return std::abs(*real);
  check_defined(runtime, value);
  int64_t integer = 0;
  if (!to_int(value, integer)) {
    runtime.fail("bad operand type for abs(): '{}'", type_name(value));
  }
  return integer < 0 ? negate(runtime, integer) : Value(integer);
}

// To the nearest decimal of that precision, from the exact value; halves to even.
double rounded(double value, int64_t precision) {
  if (!std::isfinite(value) || precision > 320) return value;
  if (precision < -310) return std::copysign(0.0, value);
  if (precision < 0) {
    const double unit = std::pow(10.0, static_cast<double>(-precision));
    return std::nearbyint(value / unit) * unit;
  }
  return *parse_float(fmt::format("{:.{}f}", value, precision));
}

int64_t rounded(Runtime& runtime, int64_t value, int64_t precision) {
  if (precision >= 0) return value;
  if (precision < -18) return 0;
  int64_t unit = 1;
  for (int64_t i = 0; i > precision; --i) unit *= 10;
  const int64_t rest = floor_modulo(value, unit);
  const int64_t down = value - rest;  // the multiple below
  const bool up = rest > unit - rest || (rest == unit - rest && floor_modulo(down / unit, 2) != 0);
  const Value result = arithmetic(runtime, Arithmetic::kAdd, down, up ? unit : int64_t{0});
  return std::get<int64_t>(result);
}

Value round_number(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "round", arguments, {"precision", "method"});
  const int64_t precision = bound.integer(0, 0);
  const std::string_view method = bound.text(1, "common");
  if (method != "common" && method != "ceil" && method != "floor") {
    runtime.fail("method must be common, ceil or floor");
  }
  check_defined(runtime, value);
  int64_t integer = 0;
  double number = 0;
  if (!to_float(value, number)) {
    runtime.fail("type {} doesn't define __round__ method", type_name(value));
  }
  if (method == "common") {
    if (to_int(value, integer)) return rounded(runtime, integer, precision);
    return rounded(number, precision);
  }
  const double scale = std::pow(10.0, static_cast<double>(precision));
  // Python's are integers, which have no -0.
  return (method == "ceil" ? std::ceil(number * scale) : std::floor(number * scale)) / scale + 0.0;
}

constexpr FilterRow kFilters[] = {
    {"abs", absolute}, {"float", to_real}, {"int", to_integer}, {"round", round_number}};

}  // namespace

std::span<const FilterRow> number_filters() { return kFilters; }

}  // namespace nibble::jinja
