#include "text/characters.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <new>

#include "text/tokenizer_tables.h"
#include "text/unicode.h"

namespace nibble {
namespace {

utf8proc_category_t category(char32_t character) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(character));
}

constexpr uint8_t byte_at(std::string_view text, size_t i) { return static_cast<uint8_t>(text[i]); }

template <class Range, size_t N>
const Range* find_in(const Range (&ranges)[N], char32_t character) {
  const auto* range = std::ranges::lower_bound(ranges, character, {}, &Range::last);
  return range != std::end(ranges) && character >= range->first ? range : nullptr;
}

template <size_t N>
bool is_in(const CharacterRange (&ranges)[N], char32_t character) {
  return find_in(ranges, character) != nullptr;
}

}  // namespace

char32_t first_character(std::string_view text, size_t& size) {
  const uint8_t lead = byte_at(text, 0);
  size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  size = std::min(size, text.size());
  if (size == 1) return lead;
  char32_t character = lead & (0x7f >> size);
  for (size_t i = 1; i < size; ++i) character = character << 6 | (byte_at(text, i) & 0x3f);
  return character;
}

char32_t last_character(std::string_view text, size_t& size) {
  size_t place = text.size() - 1;
  while (place > 0 && (byte_at(text, place) & 0xc0) == 0x80) --place;
  return first_character(text.substr(place), size);
}

void append_character(char32_t character, std::string& text) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(character), bytes.data());
  text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(size));
}

size_t grapheme_size(std::string_view text) {
  size_t size = 0;
  char32_t previous = first_character(text, size);
  utf8proc_int32_t state = 0;
  for (size_t place = size; place < text.size(); place += size) {
    const char32_t next = first_character(text.substr(place), size);
    if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(previous),
                                         static_cast<utf8proc_int32_t>(next), &state) != 0)
      return place;
    previous = next;
  }
  return text.size();
}

bool is_whitespace(char32_t c) {
  return (c >= 0x9 && c <= 0xd) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

bool is_control(char32_t character) { return is_in(kControls, character); }

bool is_nonspacing_mark(char32_t character) {
  return character >= kNonspacingMarks[0].first && is_in(kNonspacingMarks, character);
}

bool is_mark(char32_t character) {
  return is_nonspacing_mark(character) || is_in(kOtherMarks, character);
}

bool is_word_character(char32_t character) {
  switch (category(character)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return true;
    default:  // letters in circles are alphabetic, too (Other_Alphabetic)
      return character == 0x200c || character == 0x200d ||
             (character >= 0x24b6 && character <= 0x24e9) ||
             (character >= 0x1f130 && character <= 0x1f149) ||
             (character >= 0x1f150 && character <= 0x1f169) ||
             (character >= 0x1f170 && character <= 0x1f189);
  }
}

bool is_chinese(char32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) ||
         (c >= 0x20000 && c <= 0x2a6df) || (c >= 0x2a700 && c <= 0x2b73f) ||
         (c >= 0x2b740 && c <= 0x2b81f) || (c >= 0x2b920 && c <= 0x2ceaf) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

void append_lowercase(char32_t character, std::string& text) {
  if (character == 0x130) {  // the one character whose lower case has two
    text += "i\u0307";
  } else if (const auto* newer = find_in(kNewerLowercase, character)) {
    append_character(static_cast<char32_t>(static_cast<int32_t>(character) + newer->step), text);
  } else {
    append_character(
        static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(character))), text);
  }
}

namespace {

// Characters that came after Unicode 9, up to 15.1, and whose normal forms or combining classes say
// something: Hugging Face's tokenizers normalize by the tables of Unicode 9 (its crate
// unicode-normalization-alignments 0.1.12), where they are nothing.
constexpr CharacterRange kNewer[] = {
    {0x7fd, 0x7fd},     {0x898, 0x89f},     {0x8ca, 0x8d3},     {0x9fe, 0x9fe},
    {0xc3c, 0xc3c},     {0xd3b, 0xd3c},     {0xeba, 0xeba},     {0x1715, 0x1715},
    {0x1abf, 0x1ace},   {0x1df6, 0x1dfa},   {0x32ff, 0x32ff},   {0xa7f2, 0xa7f4},
    {0xa82c, 0xa82c},   {0xab69, 0xab69},   {0x10781, 0x10785}, {0x10787, 0x107b0},
    {0x107b2, 0x107ba}, {0x10d24, 0x10d27}, {0x10eab, 0x10eac}, {0x10efd, 0x10eff},
    {0x10f46, 0x10f50}, {0x10f82, 0x10f85}, {0x11070, 0x11070}, {0x1133b, 0x1133b},
    {0x1145e, 0x1145e}, {0x11839, 0x1183a}, {0x11938, 0x11938}, {0x1193d, 0x1193e},
    {0x11943, 0x11943}, {0x119e0, 0x119e0}, {0x11a34, 0x11a34}, {0x11a47, 0x11a47},
    {0x11a99, 0x11a99}, {0x11d42, 0x11d42}, {0x11d44, 0x11d45}, {0x11d97, 0x11d97},
    {0x11f41, 0x11f42}, {0x16ff0, 0x16ff1}, {0x1e030, 0x1e06d}, {0x1e08f, 0x1e08f},
    {0x1e130, 0x1e136}, {0x1e2ae, 0x1e2ae}, {0x1e2ec, 0x1e2ef}, {0x1e4ec, 0x1e4ef},
    {0x1f16c, 0x1f16c}, {0x1fbf0, 0x1fbf9}};

// The bytes before the first newer character.
size_t known_size(std::string_view text) {
  size_t place = 0;
  for (size_t size = 0; place < text.size(); place += size) {
    if (static_cast<uint8_t>(text[place]) < 0x80) {
      size = 1;
    } else if (is_in(kNewer, first_character(text.substr(place), size))) {
      break;
    }
  }
  return place;
}

std::string known_normal_form(std::string_view text, int options) {
  utf8proc_uint8_t* result = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                             static_cast<utf8proc_ssize_t>(text.size()), &result,
                                             static_cast<utf8proc_option_t>(options));
  if (size < 0) throw std::bad_alloc();  // the text is UTF-8, so nothing else can fail
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(result, &std::free);
  return {reinterpret_cast<const char*>(result), static_cast<size_t>(size)};
}

}  // namespace

std::string normal_form(std::string_view text, NormalForm form) {
  const bool is_ascii =
      std::ranges::all_of(text, [](char c) { return static_cast<uint8_t>(c) < 0x80; });
  if (is_ascii) return std::string(text);
  const bool composes = form == NormalForm::kNfc || form == NormalForm::kNfkc;
  const bool is_compatible = form == NormalForm::kNfkc || form == NormalForm::kNfkd;
  const int options = UTF8PROC_STABLE | (composes ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE) |
                      (is_compatible ? UTF8PROC_COMPAT : 0);
  std::string result;
  while (!text.empty()) {
    const size_t known = known_size(text);
    if (known > 0) result += known_normal_form(text.substr(0, known), options);
    text.remove_prefix(known);
    if (text.empty()) break;
    size_t size = 0;
    first_character(text, size);
    result += text.substr(0, size);
    text.remove_prefix(size);
  }
  return result;
}

}  // namespace nibble
