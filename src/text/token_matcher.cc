#include "text/token_matcher.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "text/characters.h"

namespace nibble {

void TokenMatcher::add(Token token) {
  begins_[static_cast<uint8_t>(token.text[0])] = true;
  auto& lengths = lengths_[static_cast<uint8_t>(token.text[0])];
  const auto length = static_cast<uint32_t>(token.text.size());
  const auto place = std::ranges::lower_bound(lengths, length, std::greater<>());
  if (place == lengths.end() || *place != length) lengths.insert(place, length);
  std::string key = token.text;
  tokens_.emplace(std::move(key), std::move(token));
}

const TokenMatcher::Token* TokenMatcher::match(std::string_view text, size_t place,
                                               bool control) const {
  for (const uint32_t length : lengths_[static_cast<uint8_t>(text[place])]) {
    if (length > text.size() - place) continue;
    const auto found = tokens_.find(text.substr(place, length));
    if (found != tokens_.end() && (control || !found->second.is_control)) return &found->second;
  }
  return nullptr;
}

bool TokenMatcher::stands_alone(std::string_view text, size_t begin, size_t end) {
  size_t size = 0;
  return (begin == 0 || !is_word_character(last_character(text.substr(0, begin), size))) &&
         (end == text.size() || !is_word_character(first_character(text.substr(end), size)));
}

size_t TokenMatcher::strip_left(std::string_view text, size_t least, size_t place) {
  for (size_t size = 0;
       place > least && is_whitespace(last_character(text.substr(0, place), size));)
    place -= std::min(size, place - least);
  return place;
}

size_t TokenMatcher::strip_right(std::string_view text, size_t place) {
  for (size_t size = 0;
       place < text.size() && is_whitespace(first_character(text.substr(place), size));)
    place += size;
  return place;
}

}  // namespace nibble
