// The escapes of a string in a template, which are Python's.
#pragma once

#include <string>
#include <string_view>

namespace nibble::jinja {

// Appends what `text` (between the quotes) stands for. Returns what is wrong with it, or nothing.
std::string decode_string(std::string_view text, std::string& value);

}  // namespace nibble::jinja
