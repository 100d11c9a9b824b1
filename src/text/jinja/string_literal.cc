#include "text/jinja/string_literal.h"

#include <cctype>
#include <cstdint>

#include "text/jinja/characters.h"

namespace nibble::jinja {
namespace {

// The characters that follow a backslash and stand for one other.
constexpr std::string_view kNames = "\\'\"abfnrtv";
constexpr std::string_view kValues = "\\'\"\a\b\f\n\r\t\v";

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 16;
}

// Up to `count` digits at text[at], which moves behind them.
uint32_t read_digits(std::string_view text, size_t& at, size_t count, int base, size_t& found) {
  uint32_t value = 0;
  for (found = 0; found < count && at < text.size() && digit_value(text[at]) < base; ++found) {
    value = value * static_cast<uint32_t>(base) + static_cast<uint32_t>(digit_value(text[at++]));
  }
  return value;
}

std::string append_code(std::string& value, uint32_t code) {
  if (code > 0x10ffff) return "illegal Unicode character";
  if (code >= 0xd800 && code < 0xe000) return "half of a surrogate pair is not a character";
  append_character(value, code);
  return "";
}

// \xHH, \uHHHH, \UHHHHHHHH; `at` is behind the letter.
std::string append_hexadecimal(std::string_view text, size_t& at, char letter, std::string& value) {
  const size_t count = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
  size_t found = 0;
  const uint32_t code = read_digits(text, at, count, 16, found);
  if (found == count) return append_code(value, code);
  return std::string("truncated \\") + letter + std::string(count, 'X') + " escape";
}

// What follows a backslash at text[at].
std::string append_escape(std::string_view text, size_t& at, std::string& value) {
  const char c = text[at];
  if (const size_t name = kNames.find(c); name != kNames.npos) {
    value += kValues[name];
    ++at;
  } else if (c == '\n') {
    ++at;
  } else if (c == 'x' || c == 'u' || c == 'U') {
    return append_hexadecimal(text, ++at, c, value);
  } else if (c == 'N') {
    return "characters by name (\\N) are not supported";
  } else if (c >= '0' && c <= '7') {
    size_t found = 0;
    return append_code(value, read_digits(text, at, 3, 8, found));
  } else {
    value += '\\';  // and the character after it, as it stands
  }
  return "";
}

}  // namespace

std::string decode_string(std::string_view text, std::string& value) {
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      value += text[at++];
      continue;
    }
    if (++at == text.size()) return "\\ at end of string";
    std::string problem = append_escape(text, at, value);
    if (!problem.empty()) return problem;
  }
  return "";
}

}  // namespace nibble::jinja
