// Texts as lm-evaluation-harness treats them, that is, as Python's str does.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nibble {

// str.rstrip() and str.strip(): without the white space of Unicode at the end, or at both ends.
std::string_view right_strip(std::string_view text);
std::string_view strip(std::string_view text);

// str.capitalize(): the first letter upper case, all others lower case. Letters beyond Latin-1 stay
// as they are.
std::string capitalize(std::string_view text);

// str.lower(), with the same limit.
std::string lower_case(std::string_view text);

// str.replace(): every occurrence, from the left, once.
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

// len(): code points of UTF-8.
size_t count_characters(std::string_view text);

}  // namespace nibble
