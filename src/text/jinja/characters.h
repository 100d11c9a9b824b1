// Text as Python's str sees it: a row of characters (Unicode code points), here in UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nibble::jinja {

size_t count_characters(std::string_view text);

// Byte offset of a character; text.size() behind the last.
size_t character_offset(std::string_view text, size_t index);

// The character at `position` (text is valid UTF-8), which moves behind it.
char32_t next_character(std::string_view text, size_t& position);
void append_character(std::string& text, char32_t character);

bool is_space(char32_t character);      // str.isspace()
bool is_printable(char32_t character);  // repr() shows others as \x.., \u....
bool is_upper(char32_t character);
bool is_lower(char32_t character);

std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
std::string capitalize(std::string_view text);  // str.capitalize(): first letter, others lower
std::string to_title(std::string_view text);    // str.title(): each run of letters
std::string swap_case(std::string_view text);

// The ends of what remains when characters of `set` (or white space when it is null) are removed.
enum class Side { kBoth, kLeft, kRight };
std::string_view strip(std::string_view text, const std::string_view* set, Side side);

// str.splitlines(): at \n, \r, \r\n and the other ends of lines that Unicode knows.
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends);

}  // namespace nibble::jinja
