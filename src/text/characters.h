// Characters of Unicode as tokenizers tell them apart (properties: utf8proc).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nibble {

// The first character of `text`, which is UTF-8 and not empty, and its bytes.
char32_t first_character(std::string_view text, size_t& size);
char32_t last_character(std::string_view text, size_t& size);
void append_character(char32_t character, std::string& text);

template <class Use>
void for_each_character(std::string_view text, const Use& use) {
  for (size_t size = 0; !text.empty(); text.remove_prefix(size)) use(first_character(text, size));
}

// The bytes of the first grapheme cluster (UAX #29) of `text`, which is not empty.
size_t grapheme_size(std::string_view text);

template <class Use>
void for_each_grapheme(std::string_view text, const Use& use) {
  for (size_t size = 0; !text.empty(); text.remove_prefix(size)) {
    size = grapheme_size(text);
    use(text.substr(0, size));
  }
}

bool is_whitespace(char32_t character);       // White_Space
bool is_control(char32_t character);          // what BERT's tokenizers take out
bool is_nonspacing_mark(char32_t character);  // category Mn
bool is_mark(char32_t character);             // categories M
bool is_word_character(char32_t character);   // \w of Rust's regex crate
bool is_chinese(char32_t character);          // CJK ideographs as BERT has them
void append_lowercase(char32_t character, std::string& text);

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };
std::string normal_form(std::string_view text, NormalForm form);

}  // namespace nibble
