// Pre-tokenizers of tokenizer.json: how a text is cut into the pieces that the model then encodes
// one by one. A pre-tokenizer is a list of steps, nearly all of them a regular expression with a
// behavior; so the rows of text/pre_names.h are lists of such steps, too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/regex.h"

namespace nibble {

// What becomes of the matches of a pattern, and of what lies between them.
enum class SplitBehavior { kRemoved, kIsolated, kContiguous, kMergedWithPrevious, kMergedWithNext };

class PreTokenizer {
 public:
  PreTokenizer() = default;  // the whole text is one piece

  // `description`: "pre_tokenizer" of tokenizer.json, null for none. Errors: kUnsupported, naming
  // the type, for what is not known; kInvalidFile.
  PreTokenizer(const Json& description, const std::string& origin);

  // Working memory of one thread; the pieces lie in it or in the text.
  struct Scratch {
    Regex::Scratch regex;
    std::vector<std::string_view> pieces, next;
    std::string text, next_text;
    std::vector<size_t> ends;
  };

  // The pieces of `text` (UTF-8), none of them empty; with is_byte_level() they are any bytes.
  // `is_first`: the text begins the input. Thread-safe.
  const std::vector<std::string_view>& split(std::string_view text, bool is_first,
                                             Scratch& scratch) const;

  // Whether the model's tokens are spelled in GPT-2's alphabet for bytes.
  bool is_byte_level() const { return is_byte_level_; }

 private:
  enum class Kind { kSplit, kMetaspace, kPrefixSpace, kLetters };
  enum class Prepend { kNever, kFirst, kAlways };

  struct Step {
    Kind kind;
    std::optional<Regex> pattern = {};  // of kSplit
    SplitBehavior behavior = SplitBehavior::kIsolated;
    bool invert = false;
    std::string replacement = {};  // of kMetaspace
    Prepend prepend = Prepend::kNever;
  };

  void add(const Json& description, const std::string& origin);
  void add_split(const JsonObject& split);
  void add_pattern(std::string_view pattern, const std::string& origin, SplitBehavior behavior,
                   bool invert = false);
  void add_metaspace(const JsonObject& metaspace);
  void add_byte_level(const JsonObject& byte_level);
  void apply_split(const Step& step, Scratch& scratch) const;
  void apply_rewrite(const Step& step, bool is_first, Scratch& scratch) const;
  void finish(Scratch& scratch) const;

  std::vector<Step> steps_;
  bool is_byte_level_ = false;
};

}  // namespace nibble
