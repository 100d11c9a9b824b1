// Reading JSONL: objects, one a line; empty lines are passed over.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace nibble {

// Calls `take` with each object, whose file_name() is "FILE, line N". Errors: kInvalidFile for a
// line that is no object, and for a text without one.
void for_each_record(std::string_view text, std::string_view file,
                     const std::function<void(const JsonObject&)>& take);

// A field that is a list of strings; error kInvalidFile for anything else.
std::vector<std::string> require_strings(const JsonObject& record, const char* key);

// A string, or an integer as one: data sets have both for labels and names.
std::optional<std::string> find_label(const JsonObject& record, const char* key);

}  // namespace nibble
