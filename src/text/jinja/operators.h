// Python's operators on values. What does not fit together is an error with Python's message; an
// undefined operand is an error with its own message.
#pragma once

#include <string_view>

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace nibble::jinja {

enum class Arithmetic { kAdd, kSubtract, kMultiply, kDivide, kFloorDivide, kModulo, kPower };
enum class Comparison {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn
};

// Integers are of 64 bits: what is larger is an error.
Value arithmetic(Runtime& runtime, Arithmetic operation, const Value& a, const Value& b);
Value negate(Runtime& runtime, const Value& value);
Value plus(Runtime& runtime, const Value& value);

bool equal(Runtime& runtime, const Value& a, const Value& b);
bool compare(Runtime& runtime, Comparison comparison, const Value& a, const Value& b);
inline bool less(Runtime& runtime, const Value& a, const Value& b) {
  return compare(runtime, Comparison::kLess, a, b);
}
bool contains(Runtime& runtime, const Value& container, const Value& item);

// Python's // and % for integers: rounded down. b is not 0.
int64_t floor_divide(int64_t a, int64_t b);
int64_t floor_modulo(int64_t a, int64_t b);

// & < > ' " as HTML entities.
std::string escape_html(std::string_view text);

}  // namespace nibble::jinja
