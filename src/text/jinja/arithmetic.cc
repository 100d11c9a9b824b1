#include <cmath>
#include <limits>

#include "text/jinja/format_text.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"

namespace nibble::jinja {
namespace {

constexpr std::string_view symbol(Arithmetic operation) {
  constexpr std::string_view kSymbols[] = {"+", "-", "*", "/", "//", "%", "** or pow()"};
  return kSymbols[static_cast<size_t>(operation)];
}

[[noreturn]] void fail_types(Runtime& runtime, Arithmetic operation, const Value& a,
                             const Value& b) {
  runtime.fail("unsupported operand type(s) for {}: '{}' and '{}'", symbol(operation), type_name(a),
               type_name(b));
}

[[noreturn]] void fail_overflow(Runtime& runtime) {
  runtime.fail("an integer is too large: Nibble computes with 64 bits");
}

int64_t power(Runtime& runtime, int64_t base, int64_t exponent) {
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) {
      fail_overflow(runtime);
    }
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) fail_overflow(runtime);
  }
  return result;
}

double float_power(Runtime& runtime, double a, double b) {
  if (a == 0 && b < 0) runtime.fail("0.0 cannot be raised to a negative power");
  if (a < 0 && b != std::floor(b)) runtime.fail("complex numbers are not supported");
  const double result = std::pow(a, b);
  if (std::isinf(result) && std::isfinite(a) && std::isfinite(b)) {
    runtime.fail("(34, 'Numerical result out of range')");
  }
  return result;
}

Value integers(Runtime& runtime, Arithmetic operation, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflow = false;
  switch (operation) {
    case Arithmetic::kAdd:
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case Arithmetic::kSubtract:
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case Arithmetic::kMultiply:
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    case Arithmetic::kDivide:
      if (b == 0) runtime.fail("division by zero");
      return static_cast<double>(a) / static_cast<double>(b);
    case Arithmetic::kFloorDivide:
      if (b == 0) runtime.fail("integer division or modulo by zero");
      if (b == -1) return integers(runtime, Arithmetic::kSubtract, 0, a);
      return floor_divide(a, b);
    case Arithmetic::kModulo:
      if (b == 0) runtime.fail("integer modulo by zero");
      return b == -1 ? int64_t{0} : floor_modulo(a, b);
    case Arithmetic::kPower:
      if (b < 0) return float_power(runtime, static_cast<double>(a), static_cast<double>(b));
      return power(runtime, a, b);
  }
  if (overflow) fail_overflow(runtime);
  return result;
}

Value floats(Runtime& runtime, Arithmetic operation, double a, double b) {
  const auto modulo = [&] {
    const double rest = std::fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  };
  switch (operation) {
    case Arithmetic::kAdd:
      return a + b;
    case Arithmetic::kSubtract:
      return a - b;
    case Arithmetic::kMultiply:
      return a * b;
    case Arithmetic::kDivide:
      if (b == 0) runtime.fail("float division by zero");
      return a / b;
    case Arithmetic::kFloorDivide:
      if (b == 0) runtime.fail("float floor division by zero");
      return std::floor((a - modulo()) / b + 0.5);
    case Arithmetic::kModulo:
      if (b == 0) runtime.fail("float modulo");
      return modulo();
    case Arithmetic::kPower:
      break;
  }
  return float_power(runtime, a, b);
}

Value joined(Runtime& runtime, const String& a, const String& b) {
  if (!a.safe && !b.safe) return runtime.text(a.text + b.text);
  return runtime.text(
      (a.safe ? a.text : escape_html(a.text)) + (b.safe ? b.text : escape_html(b.text)), true);
}

Value repeated(Runtime& runtime, const Value& value, int64_t times) {
  const auto count = static_cast<size_t>(std::max<int64_t>(times, 0));
  const auto charge = [&](size_t bytes) {
    if (count != 0 && bytes > std::numeric_limits<size_t>::max() / 2 / count) {
      runtime.charge_bytes(std::numeric_limits<size_t>::max() / 2);
    }
    runtime.charge_bytes(bytes * count);
  };
  if (const String* text = get_text(value)) {
    charge(text->text.size());
    std::string result;
    if (!text->text.empty()) {
      for (size_t i = 0; i < count; ++i) result += text->text;
    }
    return runtime.text(std::move(result), text->safe);
  }
  const Sequence& sequence = *as<Sequence>(value);
  charge(sequence.items.size() * sizeof(Value));
  Values items;
  if (!sequence.items.empty()) {
    for (size_t i = 0; i < count; ++i) {
      items.insert(items.end(), sequence.items.begin(), sequence.items.end());
    }
  }
  return runtime.sequence(sequence.type, std::move(items));
}

bool is_list_or_tuple(const Value& value) {
  const Sequence* sequence = as<Sequence>(value);
  return sequence != nullptr && sequence->type <= SequenceType::kTuple;
}

Value add_containers(Runtime& runtime, const Value& a, const Value& b) {
  if (const String* text = get_text(a)) {
    if (const String* other = get_text(b)) return joined(runtime, *text, *other);
    runtime.fail("can only concatenate str (not \"{}\") to str", type_name(b));
  }
  if (!is_list_or_tuple(a)) fail_types(runtime, Arithmetic::kAdd, a, b);
  const Sequence& first = *as<Sequence>(a);
  const Sequence* second = get_sequence(b, first.type);
  if (second == nullptr) {
    runtime.fail("can only concatenate {0} (not \"{1}\") to {0}", type_name(a), type_name(b));
  }
  Values items = first.items;
  items.insert(items.end(), second->items.begin(), second->items.end());
  return runtime.sequence(first.type, std::move(items));
}

void check_defined(Runtime& runtime, const Value& value) {
  if (const Undefined* undefined = as<Undefined>(value)) runtime.fail("{}", undefined->message);
}

}  // namespace

int64_t floor_divide(int64_t a, int64_t b) {
  const int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

int64_t floor_modulo(int64_t a, int64_t b) {
  const int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

Value arithmetic(Runtime& runtime, Arithmetic operation, const Value& a, const Value& b) {
  int64_t i = 0, j = 0;
  if (to_int(a, i) && to_int(b, j)) return integers(runtime, operation, i, j);
  double x = 0, y = 0;
  if (to_float(a, x) && to_float(b, y)) return floats(runtime, operation, x, y);
  if (operation == Arithmetic::kModulo && get_text(a) != nullptr) {
    return format_percent(runtime, *get_text(a), b);
  }
  check_defined(runtime, a);
  check_defined(runtime, b);
  if (operation == Arithmetic::kAdd) return add_containers(runtime, a, b);
  if (operation != Arithmetic::kMultiply) fail_types(runtime, operation, a, b);
  const auto repeats = [](const Value& v) { return get_text(v) != nullptr || is_list_or_tuple(v); };
  if (repeats(a) && to_int(b, j)) return repeated(runtime, a, j);
  if (repeats(b) && to_int(a, i)) return repeated(runtime, b, i);
  if (repeats(a) || repeats(b)) {
    runtime.fail("can't multiply sequence by non-int of type '{}'", type_name(repeats(a) ? b : a));
  }
  fail_types(runtime, operation, a, b);
}

Value negate(Runtime& runtime, const Value& value) {
  int64_t i = 0;
  if (to_int(value, i)) return integers(runtime, Arithmetic::kSubtract, 0, i);
  if (const double* f = std::get_if<double>(&value)) return -*f;
  check_defined(runtime, value);
  runtime.fail("bad operand type for unary -: '{}'", type_name(value));
}

Value plus(Runtime& runtime, const Value& value) {
  int64_t i = 0;
  if (to_int(value, i)) return i;
  if (std::holds_alternative<double>(value)) return value;
  check_defined(runtime, value);
  runtime.fail("bad operand type for unary +: '{}'", type_name(value));
}

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&#34;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace nibble::jinja
