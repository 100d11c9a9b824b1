// Figures as people read them.
#pragma once

#include <string>
#include <string_view>

namespace nibble {

std::string significant(double value, int digits);  // "0.01234", "1235" with 4
std::string html_escape(std::string_view text);     // for text and for attributes in double quotes

}  // namespace nibble
