#include "eval/task_text.h"

#include <algorithm>
#include <array>

namespace nibble {
namespace {

// What str.isspace() holds for, in UTF-8, above ASCII.
constexpr auto kWideSpaces = std::to_array<std::string_view>(
    {"\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005",
     "\u2006", "\u2007", "\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f",
     "\u3000"});

constexpr bool is_ascii_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f');
}

// Bytes of the white space at the end or at the beginning of a text; 0: none.
size_t space_at_end(std::string_view text) {
  if (text.empty()) return 0;
  if (is_ascii_space(text.back())) return 1;
  const auto space = std::ranges::find_if(kWideSpaces, [&](auto s) { return text.ends_with(s); });
  return space == kWideSpaces.end() ? 0 : space->size();
}

size_t space_at_start(std::string_view text) {
  if (text.empty()) return 0;
  if (is_ascii_space(text.front())) return 1;
  const auto space = std::ranges::find_if(kWideSpaces, [&](auto s) { return text.starts_with(s); });
  return space == kWideSpaces.end() ? 0 : space->size();
}

constexpr unsigned char kLatin1 = 0xC3;  // the first byte of U+00C0 .. U+00FF

// Letters of Latin-1 are 0x20 apart in their second byte, as ASCII's are; of U+00D7 and U+00F7
// (multiplication, division) and U+00DF, U+00FF that is not so.
bool is_second_of_letter(unsigned char c, unsigned char first) {
  return c >= first && c <= first + 0x1E && c != first + 0x17;
}

}  // namespace

std::string_view right_strip(std::string_view text) {
  while (const size_t bytes = space_at_end(text)) text.remove_suffix(bytes);
  return text;
}

std::string_view strip(std::string_view text) {
  while (const size_t bytes = space_at_start(text)) text.remove_prefix(bytes);
  return right_strip(text);
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (size_t i = 0; i < result.size(); ++i) {
    const auto c = static_cast<unsigned char>(result[i]);
    const bool is_wide = i > 0 && static_cast<unsigned char>(result[i - 1]) == kLatin1;
    if ((c >= 'A' && c <= 'Z') || (is_wide && is_second_of_letter(c, 0x80)))
      result[i] = static_cast<char>(c + 0x20);
  }
  return result;
}

std::string capitalize(std::string_view text) {
  std::string result = lower_case(text);
  if (result.empty()) return result;
  const bool is_wide = result.size() > 1 && static_cast<unsigned char>(result[0]) == kLatin1;
  const auto c = static_cast<unsigned char>(result[is_wide]);
  if ((c >= 'a' && c <= 'z') || (is_wide && is_second_of_letter(c, 0xA0)))
    result[is_wide] = static_cast<char>(c - 0x20);
  return result;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  while (true) {
    const size_t at = text.find(from);
    result += text.substr(0, at);
    if (at == std::string_view::npos) return result;
    result += to;
    text.remove_prefix(at + from.size());
  }
}

size_t count_characters(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace nibble
