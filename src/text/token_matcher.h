// Finds tokens that are matched as a whole in a text, such as "<|im_start|>", before anything else
// happens to it: the leftmost match counts, and of those that begin there the longest.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace nibble {

class TokenMatcher {
 public:
  struct Token {
    std::string text;  // not empty
    uint32_t id = 0;
    bool is_control = false;   // found only when the caller asks for such tokens
    bool single_word = false;  // not beside a letter or digit
    bool strips_left = false;  // takes the white space before it
    bool strips_right = false;
  };

  void add(Token token);  // of equal texts the first counts
  bool is_empty() const { return tokens_.empty(); }

  // Calls use_text(part) and use_token(id) in the order in which they stand in the text; no part is
  // empty.
  template <class UseText, class UseToken>
  void split(std::string_view text, bool control, const UseText& use_text,
             const UseToken& use_token) const {
    size_t begin = 0;
    for (size_t place = 0; place < text.size();) {
      const bool may_begin = begins_[static_cast<uint8_t>(text[place])];
      const Token* token = may_begin ? match(text, place, control) : nullptr;
      if (token == nullptr) {
        ++place;
        continue;
      }
      const size_t end = place + token->text.size();
      if (token->single_word && !stands_alone(text, place, end)) {
        place = end;
        continue;
      }
      const size_t left = token->strips_left ? strip_left(text, begin, place) : place;
      const size_t right = token->strips_right ? strip_right(text, end) : end;
      if (left > begin) use_text(text.substr(begin, left - begin));
      use_token(token->id);
      begin = place = right;
    }
    if (begin < text.size()) use_text(text.substr(begin));
  }

 private:
  const Token* match(std::string_view text, size_t place, bool control) const;
  static bool stands_alone(std::string_view text, size_t begin, size_t end);
  static size_t strip_left(std::string_view text, size_t least, size_t place);
  static size_t strip_right(std::string_view text, size_t place);

  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  std::unordered_map<std::string, Token, Hash, std::equal_to<>> tokens_;
  std::array<bool, 256> begins_{};                  // whether a token begins with this byte
  std::array<std::vector<uint32_t>, 256> lengths_;  // by first byte, the longest first
};

}  // namespace nibble
