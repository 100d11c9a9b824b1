// Text as numbers, as int() and float() of Python read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nibble::jinja {

// int(text, base); nothing: not a number, or more than 64 bits.
std::optional<int64_t> parse_integer(std::string_view text, int64_t base);

// float(text); nothing: not a number.
std::optional<double> parse_float(std::string_view text);

}  // namespace nibble::jinja
