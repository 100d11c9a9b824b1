#include "text/jinja/lexer.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/error.h"
#include "text/jinja/characters.h"
#include "text/jinja/parse_number.h"
#include "text/jinja/print.h"
#include "text/jinja/string_literal.h"
#include "text/unicode.h"

namespace nibble::jinja {
namespace {

constexpr std::string_view kOperators[] = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                           "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                           ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

// Line ends become \n, and one at the end of the template is dropped.
std::string normalized(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      text += source[i];
      continue;
    }
    text += '\n';
    if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

class Lexer {
 public:
  Lexer(std::string_view source, std::string_view origin)
      : source_(normalized(source)), origin_(origin) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) read_text();
    add(TokenType::kEnd, "");
    return std::move(tokens_);
  }

 private:
  template <class... Args>
  [[noreturn]] void fail_here(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorCode::kInvalidFile, "{}: line {}: {}", origin_, line_,
         fmt::format(format, std::forward<Args>(args)...));
  }

  std::string_view rest() const { return std::string_view(source_).substr(at_); }
  bool next_is(std::string_view text) const { return rest().starts_with(text); }
  char peek(size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }
  void add(TokenType type, std::string text) { tokens_.push_back({type, line_, std::move(text)}); }

  // Takes n bytes, whose line ends count.
  std::string_view take(size_t n) {
    const std::string_view taken = rest().substr(0, n);
    line_ += static_cast<int>(std::count(taken.begin(), taken.end(), '\n'));
    if (!taken.empty()) line_starts_ = taken.back() == '\n';
    at_ += taken.size();
    return taken;
  }
  void skip_spaces() {
    const std::string_view text = rest();
    take(text.size() - strip(text, nullptr, Side::kLeft).size());
  }

  // Text up to the next tag, then the tag.
  void read_text() {
    const size_t tag = next_tag(at_);
    const char sign = tag + 2 < source_.size() ? source_[tag + 2] : '\0';
    const bool is_print = tag + 1 < source_.size() && source_[tag + 1] == '{';
    add_text(tag - at_, tag < source_.size() ? sign : '+', !is_print);
    if (at_ == source_.size()) return;
    const char kind = source_[at_ + 1];
    if (kind == '%' && read_raw()) return;
    const int line = line_;
    take(sign == '-' || sign == '+' ? 3 : 2);
    if (kind == '#') return skip_comment(line);
    tokens_.push_back({is_print ? TokenType::kPrintBegin : TokenType::kBlockBegin, line, ""});
    read_tag(is_print);
  }

  size_t next_tag(size_t from) const {
    for (size_t at = from; (at = source_.find('{', at)) != std::string::npos; ++at) {
      const char kind = at + 1 < source_.size() ? source_[at + 1] : '\0';
      if (kind == '{' || kind == '%' || kind == '#') return at;
    }
    return source_.size();
  }

  // Adds the text of the next `size` bytes as the tag behind it leaves it: "-" takes all white
  // space away, otherwise a block that is alone at the start of its line takes that of the line.
  void add_text(size_t size, char sign, bool is_block) {
    const bool started = line_starts_;
    const int line = line_;
    const std::string_view text = take(size);
    std::string_view kept = text;
    if (sign == '-') {
      kept = strip(text, nullptr, Side::kRight);
    } else if (sign != '+' && is_block) {
      const size_t start = text.rfind('\n') + 1;  // 0: there is no line end
      const std::string_view last_line = text.substr(start);
      if ((start > 0 || started) && strip(last_line, nullptr, Side::kLeft).empty()) {
        kept = text.substr(0, start);
      }
    }
    if (!kept.empty()) tokens_.push_back({TokenType::kText, line, std::string(kept)});
  }

  // What may stand at the end of a block or comment: +%} keeps the line end behind it, -%} takes
  // all white space, %} the line end.
  bool skip_end(std::string_view end) {
    const char sign = peek();
    const bool has_sign = (sign == '-' || sign == '+') && rest().substr(1).starts_with(end);
    if (!has_sign && !next_is(end)) return false;
    take(end.size() + (has_sign ? 1 : 0));
    if (has_sign && sign == '-') skip_spaces();
    if (!has_sign && peek() == '\n') take(1);
    return true;
  }

  void skip_comment(int line) {
    while (at_ < source_.size()) {
      if (skip_end("#}")) return;
      take(1);
    }
    line_ = line;
    fail_here("Missing end of comment tag");
  }

  // {% raw %} ... {% endraw %}: text as it stands. False: the block is another.
  bool read_raw() {
    const auto word = tag_word(at_, "raw");
    if (!word || !(source_.compare(*word, 2, "%}") == 0 || source_.compare(*word, 3, "-%}") == 0)) {
      return false;
    }
    const int line = line_;
    const bool strips = source_[*word] == '-';
    take(*word - at_ + (strips ? 3 : 2));
    if (strips) skip_spaces();
    for (size_t end = at_; (end = source_.find("{%", end)) != std::string::npos; ++end) {
      const auto behind = tag_word(end, "endraw");
      if (!behind) continue;
      const size_t sign = source_[*behind] == '-' || source_[*behind] == '+' ? 1 : 0;
      if (source_.compare(*behind + sign, 2, "%}") != 0) continue;
      add_text(end - at_, source_[end + 2], true);
      take(*behind - at_);
      return skip_end("%}");
    }
    line_ = line;
    fail_here("Missing end of raw directive");
  }

  // Behind "{% WORD " at `at`; nothing: something else stands there.
  std::optional<size_t> tag_word(size_t at, std::string_view word) const {
    const auto skip = [&](size_t from) {
      const std::string_view text = std::string_view(source_).substr(from);
      return source_.size() - strip(text, nullptr, Side::kLeft).size();
    };
    at += 2;
    if (at < source_.size() && (source_[at] == '-' || source_[at] == '+')) ++at;
    at = skip(std::min(at, source_.size()));
    if (source_.compare(at, word.size(), word) != 0) return std::nullopt;
    at = skip(at + word.size());
    return at < source_.size() ? std::optional(at) : std::nullopt;
  }

  void read_tag(bool is_print) {
    std::string open;  // brackets
    while (at_ < source_.size()) {
      if (open.empty() && read_end(is_print)) return;
      const size_t before = at_;
      skip_spaces();
      if (at_ != before) continue;
      if (read_number() || read_name() || read_string()) continue;
      read_operator(open);
    }
  }

  bool read_end(bool is_print) {
    const int line = line_;
    if (is_print) {
      const bool strips = next_is("-}}");
      if (!strips && !next_is("}}")) return false;
      take(strips ? 3 : 2);
      if (strips) skip_spaces();
    } else if (!skip_end("%}")) {
      return false;
    }
    tokens_.push_back({is_print ? TokenType::kPrintEnd : TokenType::kBlockEnd, line, ""});
    return true;
  }

  // Bytes of digits with single underscores between them.
  size_t digits(size_t from, bool (*is_one)(char)) const {
    size_t at = from;
    while (is_one(peek(at)) || (at > from && peek(at) == '_' && is_one(peek(at + 1)))) ++at;
    return at - from;
  }

  bool read_number() {
    if (!is_digit(peek())) return false;
    return read_float() || read_based_integer() || read_decimal();
  }

  bool read_float() {
    if (at_ > 0 && source_[at_ - 1] == '.') return false;
    size_t end = digits(0, is_digit);
    const size_t fraction = peek(end) == '.' ? digits(end + 1, is_digit) : 0;
    if (fraction != 0) end += 1 + fraction;
    size_t exponent = 0;
    if (peek(end) == 'e' || peek(end) == 'E') {
      const size_t sign = peek(end + 1) == '+' || peek(end + 1) == '-' ? 1 : 0;
      const size_t count = digits(end + 1 + sign, is_digit);
      exponent = count == 0 ? 0 : 1 + sign + count;
    }
    if (fraction == 0 && exponent == 0) return false;
    add(TokenType::kFloat, std::string(take(end + exponent)));
    Token& token = tokens_.back();
    token.real = *parse_float(token.text);
    return true;
  }

  bool read_based_integer() {
    const char letter = static_cast<char>(peek(1) | 0x20);
    if (peek() != '0' || (letter != 'x' && letter != 'o' && letter != 'b')) return false;
    const int base = letter == 'x' ? 16 : letter == 'o' ? 8 : 2;
    const auto is_one = base == 16  ? +[](char c) { return std::isxdigit(uint8_t(c)) != 0; }
                        : base == 8 ? +[](char c) { return c >= '0' && c <= '7'; }
                                    : +[](char c) { return c == '0' || c == '1'; };
    const size_t first = peek(2) == '_' ? 3 : 2;
    const size_t count = digits(first, is_one);
    if (count == 0) return false;
    add_integer(take(first + count), base);
    return true;
  }

  bool read_decimal() {
    const bool zero = peek() == '0';
    add_integer(take(digits(0, zero ? +[](char c) { return c == '0'; } : is_digit)), 10);
    return true;
  }

  void add_integer(std::string_view text, int base) {
    add(TokenType::kInteger, std::string(text));
    const auto value = parse_integer(text, base);
    if (!value) fail_here("the integer {} is too large: Nibble computes with 64 bits", text);
    tokens_.back().integer = *value;
  }

  bool read_name() {
    size_t size = 0;
    while (is_name(peek(size))) ++size;
    if (size == 0) return false;
    add(TokenType::kName, std::string(take(size)));
    return true;
  }

  bool read_string() {
    const char quotes = peek();
    if (quotes != '\'' && quotes != '"') return false;
    size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quotes) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) return false;
    std::string value;
    const auto problem =
        decode_string(std::string_view(source_).substr(at_ + 1, end - at_ - 1), value);
    if (!problem.empty()) fail_here("{}", problem);
    add(TokenType::kString, std::move(value));
    take(end + 1 - at_);
    return true;
  }

  void read_operator(std::string& open) {
    const auto* found = std::find_if(std::begin(kOperators), std::end(kOperators),
                                     [&](std::string_view text) { return next_is(text); });
    if (found == std::end(kOperators)) {
      size_t end = at_;
      next_character(source_, end);
      fail_here("unexpected char {} at {}", quote(source_.substr(at_, end - at_)),
                count_characters(std::string_view(source_).substr(0, at_)));
    }
    balance(open, found->front());
    add(TokenType::kOperator, std::string(take(found->size())));
  }

  void balance(std::string& open, char bracket) const {
    if (bracket == '(') open += ')';
    if (bracket == '[') open += ']';
    if (bracket == '{') open += '}';
    if (bracket != ')' && bracket != ']' && bracket != '}') return;
    if (open.empty()) fail_here("unexpected '{}'", bracket);
    if (open.back() != bracket) fail_here("unexpected '{}', expected '{}'", bracket, open.back());
    open.pop_back();
  }

  std::string source_;
  std::string origin_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_starts_ = true;  // what was taken last ended with a line end
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source, std::string_view origin,
                            const Limits& limits) {
  if (source.size() > limits.template_bytes) {
    fail(ErrorCode::kInvalidFile, "{}: {} bytes of template; at most {} are read", origin,
         source.size(), limits.template_bytes);
  }
  if (!is_utf8(source)) {
    fail(ErrorCode::kInvalidFile, "{}: the template is not valid UTF-8", origin);
  }
  return Lexer(source, origin).run();
}

std::string describe(const Token& token) {
  switch (token.type) {
    case TokenType::kText:
      return "template data / text";
    case TokenType::kBlockBegin:
      return "begin of statement block";
    case TokenType::kBlockEnd:
      return "end of statement block";
    case TokenType::kPrintBegin:
      return "begin of print statement";
    case TokenType::kPrintEnd:
      return "end of print statement";
    case TokenType::kString:
      return "string";
    case TokenType::kInteger:
      return "integer";
    case TokenType::kFloat:
      return "float";
    case TokenType::kEnd:
      return "end of template";
    default:
      return token.text;
  }
}

}  // namespace nibble::jinja
