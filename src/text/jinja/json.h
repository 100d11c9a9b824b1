// JSON in and out of templates: what a caller gives, and what the filter tojson writes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace nibble::jinja {

using OrderedJson = nlohmann::ordered_json;  // templates show keys in the order in which they came

// Error: text that is not UTF-8, nesting deeper than the limits.
Value from_json(Runtime& runtime, const OrderedJson& json);

// json.dumps() of Python, as transformers calls it for the filter.
struct JsonStyle {
  bool ascii = false;              // \u escapes for everything beyond ASCII
  const String* indent = nullptr;  // per level, on lines of their own; nullptr: one line
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool sort_keys = false;
};
std::string to_json(Runtime& runtime, const Value& value, const JsonStyle& style);

}  // namespace nibble::jinja
