// What methods of str and filters share: cutting, replacing, padding.
#pragma once

#include <string>
#include <string_view>

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace nibble::jinja {

// str.split() and rsplit(): at a text, or at white space when `separator` is none; at most
// `limit` cuts (negative: all).
Value split_text(Runtime& runtime, const String& text, const Value& separator, int64_t limit,
                 bool from_right);

// str.replace(): at most `limit` times (negative: all).
std::string replaced(Runtime& runtime, std::string_view text, std::string_view from,
                     std::string_view to, int64_t limit);

// `text` in a field of `width` characters.
std::string padded(Runtime& runtime, const String& text, int64_t width, std::string_view fill,
                   bool to_right);
std::string centred(Runtime& runtime, const String& text, int64_t width, std::string_view fill);

// str.isupper(), str.islower(): all letters with a case have this one, and there is one.
bool is_in_case(std::string_view text, bool upper);

}  // namespace nibble::jinja
