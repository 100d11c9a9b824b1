// The methods of Python's str, dict, list, tuple and of loops that templates may call.
#pragma once

#include <string_view>

#include "text/jinja/callable.h"
#include "text/jinja/value.h"

namespace nibble::jinja {

Builtin::Function find_method(const Value& object, std::string_view name);  // nullptr: none

// A method that Python's type has and the sandbox forbids, as it would change the value.
bool changes_value(const Value& object, std::string_view name);

// A method that Python's type has and find_method() does not know.
bool is_unknown_method(const Value& object, std::string_view name);

// The part of methods.cc for str.
Builtin::Function find_text_method(std::string_view name);

}  // namespace nibble::jinja
