// The functions that templates find without being given them: range, dict, namespace,
// raise_exception, strftime_now.
#pragma once

#include <ctime>
#include <string_view>

#include "text/jinja/callable.h"

namespace nibble::jinja {

// The value of a global name; nullptr when there is none. `now`: what strftime_now tells.
const Callable* find_global(Runtime& runtime, std::string_view name, const std::tm& now);

}  // namespace nibble::jinja
