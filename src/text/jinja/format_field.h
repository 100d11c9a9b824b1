// One field of a formatted text: what both of Python's ways to write one come down to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace nibble::jinja {

struct Spec {
  std::string fill = " ";
  char align = 0;  // < > ^ =, 0: by type
  char sign = 0;   // + or space, 0: only minus
  bool alternate = false, grouped = false;
  int64_t width = 0, precision = -1;
  char type = 0;
};

// A cursor over a format text.
struct Cursor {
  std::string_view text;
  size_t at = 0;

  bool done() const { return at == text.size(); }
  char peek() const { return done() ? '\0' : text[at]; }
  bool skip(char c);
  int64_t number();  // digits, none is 0; large ones stay at 2^40 or more
};

inline bool is_one_of(char c, std::string_view set) { return c != 0 && set.find(c) != set.npos; }

// Error: a type that does not fit the value. A type of 0 is that of the value.
std::string format_value(Runtime& runtime, const Spec& spec, const Value& value);
std::string format_string(Runtime& runtime, const Spec& spec, std::string text);

}  // namespace nibble::jinja
