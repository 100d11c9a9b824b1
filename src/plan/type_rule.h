// TypeRule: "PATTERN=TYPE", a user's word on tensors by name, as llama-quantize's --tensor-type.
#pragma once

#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "nibble/dtype.h"

namespace nibble {

class TypeRule {
 public:
  // PATTERN is an ECMAScript regular expression of at most 512 characters, in any letter case, that
  // matches a name in which it is found. Errors: kUsage for text of another form, naming `origin`.
  TypeRule(const std::string& text, const std::string& origin);

  bool matches(const std::string& tensor_name) const;
  const std::string& text() const { return text_; }
  DType type() const { return type_; }

 private:
  std::string text_;
  std::regex pattern_;
  DType type_{};
};

// A file of rules, separated by spaces or line ends; what follows a # at the beginning of a word is
// a comment. Errors name `origin` and the line.
std::vector<TypeRule> parse_type_rules(std::string_view text, const std::string& origin);

// The names of all types, with spaces between them.
std::string dtype_names();

// A type by its name. Error kUsage naming all types.
DType require_type(const std::string& name, const std::string& origin);

}  // namespace nibble
