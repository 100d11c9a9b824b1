// Normalizers of tokenizer.json: what happens to a text before it is cut into pieces.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/regex.h"

namespace nibble {

class Normalizer {
 public:
  Normalizer() = default;  // leaves the text as it is

  // `description`: "normalizer" of tokenizer.json, null for none. Errors: kUnsupported, naming the
  // type, for what is not known; kInvalidFile.
  Normalizer(const Json& description, const std::string& origin);

  bool is_empty() const { return steps_.empty(); }

  // Whether the text reaches the model spelled in GPT-2's alphabet for bytes.
  bool is_byte_level() const { return is_byte_level_; }

  // `text`: UTF-8, not empty. Thread-safe.
  std::string apply(std::string_view text, Regex::Scratch& scratch) const;

 private:
  using Step = std::function<std::string(std::string, Regex::Scratch&)>;

  void add(const Json& description, const std::string& origin);
  void add_replace(const JsonObject& replace);
  void add_precompiled(const JsonObject& precompiled);
  void add_bert(const JsonObject& bert);

  std::vector<Step> steps_;
  bool is_byte_level_ = false;
};

}  // namespace nibble
