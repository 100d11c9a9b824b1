#include "text/oniguruma.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/error.h"

namespace nibble {
namespace {

// PCRE2's \s also holds U+180E, its \w lacks marks and connectors.
constexpr std::string_view kWord = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
constexpr std::string_view kHex = "0-9A-Fa-f";
constexpr int kMaxNesting = 32;

// The members of a class, ready to stand between brackets; `all`: of these, only what is in each.
struct Class {
  std::string members;
  bool negated = false;
  std::vector<std::string> all;

  std::string text() const {
    if (all.empty()) return (negated ? "[^" : "[") + members + "]";
    std::string inner;
    for (const std::string& part : all) inner += "(?=[" + part + "])";
    inner += "[" + members + "]";
    return negated ? "(?:(?!" + inner + ")(?s:.))" : "(?:" + inner + ")";
  }
};

class Translator {
 public:
  Translator(std::string_view pattern, std::string_view origin)
      : pattern_(pattern), origin_(origin) {}

  std::string run() {
    while (place_ < pattern_.size()) step();
    return std::move(result_);
  }

 private:
  char peek(size_t ahead = 0) const {
    return place_ + ahead < pattern_.size() ? pattern_[place_ + ahead] : '\0';
  }

  void step() {
    const size_t atom = result_.size();
    switch (peek()) {
      case '\\':
        escape(false, result_);
        break;
      case '[':
        result_ += read_class(0).text();
        break;
      case '(':
        open_group();
        return;
      case ')':
        result_ += pattern_[place_++];
        if (!groups_.empty()) {
          last_atom_ = groups_.back();
          groups_.pop_back();
        }
        return;
      case '{':
        if (interval()) return;
        result_ += pattern_[place_++];
        break;
      case '?':
      case '*':
      case '+':
        result_ += pattern_[place_++];
        return;
      default:
        copy_character(result_);
        break;
    }
    last_atom_ = atom;
  }

  void open_group() {
    groups_.push_back(result_.size());
    if (groups_.size() > kMaxDepth) unsupported("groups nested too deeply");
    result_ += pattern_[place_++];
    if (peek() != '?') return;
    result_ += pattern_[place_++];
    // (?m) lets the dot match newlines there; here that is s.
    while (place_ < pattern_.size() &&
           (std::string_view("imx-").find(peek()) != std::string::npos)) {
      result_ += peek() == 'm' ? 's' : peek();
      ++place_;
    }
  }

  // "{2,3}" after an atom. "{2,3}+" is no possessive quantifier there but a second one.
  bool interval() {
    size_t end = place_ + 1;
    while (end < pattern_.size() &&
           (std::isdigit(static_cast<unsigned char>(pattern_[end])) != 0 || pattern_[end] == ','))
      ++end;
    if (end == place_ + 1 || end >= pattern_.size() || pattern_[end] != '}') return false;
    std::string_view digits = pattern_.substr(place_ + 1, end - place_ - 1);
    result_ += digits.starts_with(',') ? "{0" + std::string(digits) + "}"
                                       : "{" + std::string(digits) + "}";
    place_ = end + 1;
    if (peek() == '+' || peek() == '*') {
      result_.insert(last_atom_, "(?:");
      result_ += ')';
    }
    return true;
  }

  void copy_character(std::string& out) {
    do {
      out += pattern_[place_++];
    } while (place_ < pattern_.size() && (static_cast<uint8_t>(pattern_[place_]) & 0xc0) == 0x80);
  }

  // At a backslash. In a class only what may stand between brackets is written.
  void escape(bool in_class, std::string& out) {
    const char kind = peek(1);
    if (kind == '\0') unsupported("a backslash at the end");
    const auto put = [&](std::string_view members, bool negated) {
      if (in_class && negated) unsupported(std::string("\\") + kind + " in a class");
      if (!in_class) out += negated ? "[^" : "[";
      out += members;
      if (!in_class) out += ']';
      place_ += 2;
    };
    const auto replace = [&](std::string_view text) {
      out += text;
      place_ += 2;
    };
    switch (kind) {
      case 's':
        return replace("\\p{wspace}");
      case 'S':
        return replace("\\P{wspace}");
      case 'd':
        return replace("\\p{Nd}");
      case 'D':
        return replace("\\P{Nd}");
      case 'w':
      case 'W':
        return put(kWord, kind == 'W');
      case 'h':
      case 'H':
        return put(kHex, kind == 'H');
      case 'u':
        out += "\\x{" + std::string(pattern_.substr(place_ + 2, 4)) + "}";
        place_ = std::min(place_ + 6, pattern_.size());
        return;
      default:
        out += '\\';
        ++place_;
        copy_character(out);
    }
  }

  // At "[". A class in a class adds its members; "&&" keeps what is in both sides.
  Class read_class(int depth) {
    if (depth > kMaxNesting) unsupported("classes nested too deeply");
    Class result;
    ++place_;
    if (peek() == '^') {
      result.negated = true;
      ++place_;
    }
    for (bool is_first = true; peek() != ']' || is_first; is_first = false) {
      if (place_ >= pattern_.size()) unsupported("a class without its end");
      if (peek() == '[' && peek(1) == ':') {
        posix(result.members);
      } else if (peek() == '[') {
        add_inner(read_class(depth + 1), result);
      } else if (peek() == '&' && peek(1) == '&') {
        place_ += 2;
        result.all.push_back(std::move(result.members));
        result.members.clear();
      } else if (peek() == '\\') {
        escape(true, result.members);
      } else {
        copy_character(result.members);
      }
    }
    ++place_;
    return result;
  }

  void posix(std::string& members) {
    const size_t end = pattern_.find(":]", place_);
    if (end == std::string_view::npos) unsupported("[: without :]");
    members += pattern_.substr(place_, end + 2 - place_);
    place_ = end + 2;
  }

  // [^...] within a class is a set of its own only beside nothing else: "[\p{L}&&[^\p{Han}]]".
  void add_inner(const Class& inner, Class& outer) {
    if (!inner.all.empty()) unsupported("&& in a class within a class");
    if (!inner.negated) {
      outer.members += inner.members;
    } else if (outer.members.empty() && (peek() == ']' || peek() == '&')) {
      outer.members = "^" + inner.members;
    } else {
      unsupported("a negated class beside other members of a class");
    }
  }

  [[noreturn]] void unsupported(std::string_view what) const {
    fail(ErrorCode::kUnsupported,
         "{}: the pattern \"{}\" has {} (before byte {}), which this version cannot run", origin_,
         pattern_, what, place_);
  }

  static constexpr size_t kMaxDepth = 64;
  std::string_view pattern_, origin_;
  size_t place_ = 0;
  std::string result_;
  size_t last_atom_ = 0;
  std::vector<size_t> groups_;
};

}  // namespace

std::string pcre2_pattern(std::string_view oniguruma, std::string_view origin) {
  return Translator(oniguruma, origin).run();
}

}  // namespace nibble
