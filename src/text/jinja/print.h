// Values as text: str() and repr() of Python.
#pragma once

#include <string>
#include <string_view>

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace nibble::jinja {

std::string to_text(Runtime& runtime, const Value& value);  // str(): what a template prints
std::string repr(Runtime& runtime, const Value& value);     // as shown inside a list

std::string quote(std::string_view text);  // repr() of a string
std::string float_text(double value);      // shortest text that reads back, "1.0", "1e+16", "nan"

}  // namespace nibble::jinja
