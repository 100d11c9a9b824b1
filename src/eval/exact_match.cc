#include "eval/exact_match.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "eval/task_text.h"

namespace nibble {
namespace {

constexpr bool is_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string normalized(std::string_view text, const MatchOptions& options) {
  std::string result = options.ignore_case ? lower_case(text) : std::string(text);
  std::erase_if(result, [&](char c) {
    return (options.ignore_punctuation && is_punctuation(c)) ||
           (options.ignore_numbers && is_digit(c));
  });
  return result;
}

// Where the JSON value that a text begins with ends: an object or a list at its closing bracket,
// anything else at the end of the line.
std::string_view first_json(std::string_view text) {
  text = strip(text);
  if (!text.starts_with('{') && !text.starts_with('[')) return text.substr(0, text.find('\n'));
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (c == '{' || c == '[')) {
      ++depth;
    } else if (!in_string && (c == '}' || c == ']') && --depth == 0) {
      return text.substr(0, i + 1);
    }
  }
  return text;
}

std::optional<Json> parse_first_json(std::string_view text) {
  try {
    return parse_json(first_json(text), "answer");
  } catch (const Error&) {  // it is no JSON, which is what was to be found out
    return std::nullopt;
  }
}

}  // namespace

bool is_right_answer(const AnswerCheck& check, std::string_view answer,
                     const MatchOptions& options) {
  const auto is_answer = [&](const std::string& right) {
    return normalized(answer, options) == normalized(right, options);
  };
  if (!check.answers.empty() && std::ranges::none_of(check.answers, is_answer)) return false;
  const std::string_view matched = answer.substr(0, kMatchedBytes);
  if (check.pattern && !std::regex_search(matched.begin(), matched.end(), *check.pattern))
    return false;
  if (!check.wants_json) return true;
  const auto json = parse_first_json(answer);
  return json && (!check.json || *json == *check.json);
}

std::string_view before_stops(std::string_view text, std::span<const std::string> stops) {
  for (const std::string& stop : stops) {
    if (!stop.empty()) text = text.substr(0, text.find(stop));
  }
  return text;
}

}  // namespace nibble
