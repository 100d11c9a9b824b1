// The tests of Jinja: what may follow `is`.
#pragma once

#include <string_view>

#include "text/jinja/callable.h"

namespace nibble::jinja {

using Test = bool (*)(Runtime& runtime, const Value& value, const Arguments& arguments);

Test find_test(std::string_view name);  // nullptr: there is none of this name

}  // namespace nibble::jinja
