// Python's two ways to put values into a text: "%s" % value and "{}".format(value).
#pragma once

#include "text/jinja/callable.h"
#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace nibble::jinja {

// text % values: a tuple gives several values, a dict those of %(name)s. Conversions: s r d i u f F
// e E g G x X o c %, with flags, width and precision.
Value format_percent(Runtime& runtime, const String& text, const Value& values);

// text.format(...): {}, {0}, {name}, !r and !s, and [[fill]align][sign][0][width][,][.precision]
// [type] with the types s d f F e E g G x X o b %. No attributes or elements of fields.
Value format_braces(Runtime& runtime, const String& text, const Arguments& arguments);

}  // namespace nibble::jinja
