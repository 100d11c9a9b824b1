// The text of a template as tokens: https://jinja.palletsprojects.com/en/stable/templates/ with
// trim_blocks and lstrip_blocks, as chat templates are written for. White space that - and these
// two options remove is gone from the texts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/limits.h"

namespace nibble::jinja {

enum class TokenType {
  kText,
  kBlockBegin,  // {%
  kBlockEnd,
  kPrintBegin,  // {{
  kPrintEnd,
  kName,
  kString,
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenType type;
  int line;
  std::string text;  // what was written; of strings: their value
  int64_t integer = 0;
  double real = 0;
};

// The last token is kEnd. Error kInvalidFile "ORIGIN: line N: ...": what the line holds instead of
// what may stand there.
std::vector<Token> tokenize(std::string_view source, std::string_view origin, const Limits& limits);

// For messages: "end of print statement", "string", or what was written.
std::string describe(const Token& token);

}  // namespace nibble::jinja
