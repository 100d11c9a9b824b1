#include "plan/type_rule.h"

#include <algorithm>
#include <sstream>

#include "base/error.h"

namespace nibble {
namespace {

constexpr size_t kLongestPattern = 512;
// std::regex recurses for each character. No name of GGUF is longer than 63 bytes where llama.cpp
// reads it.
constexpr size_t kLongestName = 255;

}  // namespace

TypeRule::TypeRule(const std::string& text, const std::string& origin) : text_(text) {
  const size_t equals = text.rfind('=');  // the pattern may hold one: (?=...)
  if (equals == std::string::npos || equals == 0 || equals > kLongestPattern) {
    fail(ErrorCode::kUsage,
         "{}: found \"{}\", expected PATTERN=TYPE with a pattern of 1 to {} characters", origin,
         text, kLongestPattern);
  }
  type_ = require_type(text.substr(equals + 1), origin);
  try {
    pattern_.assign(text.substr(0, equals), std::regex::ECMAScript | std::regex::icase);
  } catch (const std::regex_error& error) {
    fail(ErrorCode::kUsage, "{}: \"{}\" is no regular expression: {}", origin,
         text.substr(0, equals), error.what());
  }
}

bool TypeRule::matches(const std::string& tensor_name) const {
  return tensor_name.size() <= kLongestName && std::regex_search(tensor_name, pattern_);
}

std::vector<TypeRule> parse_type_rules(std::string_view text, const std::string& origin) {
  std::vector<TypeRule> rules;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line);
    for (std::string word; words >> word && word[0] != '#';) {
      rules.emplace_back(word, fmt::format("{}: line {}", origin, number));
    }
  }
  return rules;
}

std::string dtype_names() {
  std::string names;
  for (const DType type : all_dtypes())
    names += (names.empty() ? "" : " ") + std::string(dtype_name(type));
  return names;
}

DType require_type(const std::string& name, const std::string& origin) {
  if (const auto type = dtype_from_name(name)) return *type;
  fail(ErrorCode::kUsage, "{}: unknown type \"{}\"; use one of: {}", origin, name, dtype_names());
}

}  // namespace nibble
