// The tokens of a template one after another, for the parser.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/jinja/lexer.h"

namespace nibble::jinja {

class TokenStream {
 public:
  TokenStream(std::vector<Token> tokens, std::string_view origin)
      : tokens_(std::move(tokens)), origin_(origin) {}

  const Token& current() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  int line() const { return current().line; }
  bool is(TokenType type) const { return current().type == type; }
  bool is_name(std::string_view name) const { return matches(current(), TokenType::kName, name); }
  bool is_operator(std::string_view text) const {
    return matches(current(), TokenType::kOperator, text);
  }
  static bool matches(const Token& token, TokenType type, std::string_view text) {
    return token.type == type && token.text == text;
  }

  Token take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool skip_name(std::string_view name) { return is_name(name) && (take(), true); }
  bool skip_operator(std::string_view text) { return is_operator(text) && (take(), true); }

  // The current token, which must be this; errors say what stands there.
  Token expect(TokenType type) {
    return is(type) ? take() : fail_expected(describe({type, 0, "name"}));
  }
  void expect_name(std::string_view name) {
    if (!skip_name(name)) fail_expected(name);
  }
  void expect_operator(std::string_view text) {
    if (!skip_operator(text)) fail_expected(text);
  }
  [[noreturn]] Token fail_expected(std::string_view expected) const;

  template <class... Args>
  [[noreturn]] void fail_at(int line, fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorCode::kInvalidFile, "{}: line {}: {}", origin_, line,
         fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  std::vector<Token> tokens_;
  std::string origin_;
  size_t at_ = 0;
};

}  // namespace nibble::jinja
