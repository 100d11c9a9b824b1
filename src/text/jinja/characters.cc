#include "text/jinja/characters.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "text/jinja/case_tables.h"

namespace nibble::jinja {
namespace {

bool is_continuation(char byte) { return (static_cast<uint8_t>(byte) & 0xc0) == 0x80; }

template <size_t n>
char32_t mapped(const CaseRange (&table)[n], char32_t c) {
  const auto* range = std::lower_bound(std::begin(table), std::end(table), c,
                                       [](const CaseRange& r, char32_t x) { return r.last < x; });
  if (range == std::end(table) || c < range->first || (c - range->first) % range->stride != 0) {
    return c;
  }
  return static_cast<char32_t>(static_cast<int32_t>(c) + range->distance);
}

char32_t upper(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 32 : c;
  return mapped(kToUpper, c);
}

char32_t lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  return mapped(kToLower, c);
}

bool is_cased(char32_t c) { return is_upper(c) || is_lower(c); }

// What the character becomes in upper case if that is several; nullptr: it is one.
const char* several_upper(char32_t c) {
  if (c < 0x80) return nullptr;
  const auto* found =
      std::lower_bound(std::begin(kToSeveralUpper), std::end(kToSeveralUpper), c,
                       [](const CaseText& row, char32_t x) { return row.from < x; });
  return found != std::end(kToSeveralUpper) && found->from == c ? found->to : nullptr;
}

void append_upper(std::string& text, char32_t c) {
  if (const char* several = several_upper(c)) {
    text += several;
  } else {
    append_character(text, upper(c));
  }
}

// Appends c as the first letter of a word.
void append_title(std::string& text, char32_t c) {
  const char* several = several_upper(c);
  if (several == nullptr) return append_character(text, upper(c));
  size_t first = 0;
  next_character(several, first);
  text.append(several, first).append(to_lower(several + first));
}

// The Greek sigma is another at the end of a word.
constexpr char32_t kSigma = 0x3a3, kSmallSigma = 0x3c3, kFinalSigma = 0x3c2;

// Calls change(result, character) for each character.
template <class Change>
std::string changed(std::string_view text, Change change) {
  std::string result;
  result.reserve(text.size());
  for (size_t at = 0; at < text.size();) change(result, next_character(text, at));
  return result;
}

// Ends of lines to str.splitlines(), but for \r\n.
bool ends_line(char32_t c) {
  return (c >= 0x0a && c <= 0x0d) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

bool contains(std::string_view set, char32_t c) {
  for (size_t at = 0; at < set.size();) {
    if (next_character(set, at) == c) return true;
  }
  return false;
}

}  // namespace

size_t count_characters(std::string_view text) {
  return text.size() -
         static_cast<size_t>(std::count_if(text.begin(), text.end(), is_continuation));
}

size_t character_offset(std::string_view text, size_t index) {
  size_t at = 0;
  for (; at < text.size(); ++at) {
    if (is_continuation(text[at])) continue;
    if (index-- == 0) break;
  }
  return at;
}

char32_t next_character(std::string_view text, size_t& position) {
  const auto lead = static_cast<uint8_t>(text[position++]);
  if (lead < 0x80) return lead;
  char32_t c = lead & (lead >= 0xf0 ? 0x07 : lead >= 0xe0 ? 0x0f : 0x1f);
  while (position < text.size() && is_continuation(text[position])) {
    c = c << 6 | (static_cast<uint8_t>(text[position++]) & 0x3f);
  }
  return c;
}

void append_character(std::string& text, char32_t c) {
  const auto byte = [&](char32_t bits) { text += static_cast<char>(bits); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) {
    byte(0xc0 | c >> 6);
  } else if (c < 0x10000) {
    byte(0xe0 | c >> 12);
    byte(0x80 | (c >> 6 & 0x3f));
  } else {
    byte(0xf0 | c >> 18);
    byte(0x80 | (c >> 12 & 0x3f));
    byte(0x80 | (c >> 6 & 0x3f));
  }
  byte(0x80 | (c & 0x3f));
}

bool is_space(char32_t c) {
  if (c < 0x80) return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20);
  return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
         c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

// Controls, format characters, separators, surrogates and private use; unassigned characters count
// as printable here.
bool is_printable(char32_t c) {
  struct Range {
    char32_t first, last;
  };
  static constexpr Range kUnprintable[] = {
      {0x00, 0x1f},       {0x7f, 0xa0},       {0xad, 0xad},       {0x600, 0x605},
      {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},
      {0x8e2, 0x8e2},     {0x1680, 0x1680},   {0x180e, 0x180e},   {0x2000, 0x200f},
      {0x2028, 0x202f},   {0x205f, 0x206f},   {0x3000, 0x3000},   {0xd800, 0xf8ff},
      {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   {0xfffe, 0xffff},   {0x110bd, 0x110bd},
      {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
      {0xe0001, 0xe0001}, {0xe0020, 0xe007f}, {0xf0000, 0x10ffff}};
  return std::none_of(std::begin(kUnprintable), std::end(kUnprintable),
                      [&](const Range& range) { return c >= range.first && c <= range.last; });
}

bool is_upper(char32_t c) { return lower(c) != c; }
bool is_lower(char32_t c) { return upper(c) != c || several_upper(c) != nullptr; }

std::string to_upper(std::string_view text) { return changed(text, append_upper); }

std::string to_lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool inside = false;  // of a word
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    size_t next = at;
    const bool ends = at == text.size() || !is_cased(next_character(text, next));
    append_character(out, c != kSigma ? lower(c) : inside && ends ? kFinalSigma : kSmallSigma);
    inside = is_cased(c);
  }
  return out;
}

std::string capitalize(std::string_view text) {
  bool first = true;
  return changed(text, [&](std::string& out, char32_t c) {
    first ? append_title(out, c) : append_character(out, lower(c));
    first = false;
  });
}

std::string to_title(std::string_view text) {
  bool inside = false;
  return changed(text, [&](std::string& out, char32_t c) {
    inside ? append_character(out, lower(c)) : append_title(out, c);
    inside = is_cased(c);
  });
}

std::string swap_case(std::string_view text) {
  return changed(text, [](std::string& out, char32_t c) {
    is_upper(c) ? append_character(out, lower(c)) : append_upper(out, c);
  });
}

std::string_view strip(std::string_view text, const std::string_view* set, Side side) {
  const auto removed = [&](char32_t c) { return set == nullptr ? is_space(c) : contains(*set, c); };
  if (side != Side::kRight) {
    for (size_t at = 0; !text.empty(); at = 0) {
      if (!removed(next_character(text, at))) break;
      text.remove_prefix(at);
    }
  }
  if (side == Side::kLeft) return text;
  while (!text.empty()) {
    size_t last = text.size() - 1;
    while (last > 0 && is_continuation(text[last])) --last;
    size_t at = last;
    if (!removed(next_character(text, at))) break;
    text.remove_suffix(text.size() - last);
  }
  return text;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  size_t start = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = at;
    const char32_t c = next_character(text, at);
    if (!ends_line(c)) continue;
    if (c == '\r' && at < text.size() && text[at] == '\n') ++at;
    lines.push_back(text.substr(start, (keep_ends ? at : end) - start));
    start = at;
  }
  if (start < text.size()) lines.push_back(text.substr(start));
  return lines;
}

}  // namespace nibble::jinja
