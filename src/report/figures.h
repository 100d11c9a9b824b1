// Figures as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nibble {

std::string readable_size(uint64_t bytes);          // "4.07 GiB"
std::string significant(double value, int digits);  // "0.01234", "1235" with 4
std::string html_escape(std::string_view text);     // for text and for attributes in double quotes

}  // namespace nibble
