// Regular expressions of tokenizers, run by PCRE2 with its JIT compiler. They come from files of
// others: matching is bounded, and what exceeds the bounds is an error instead of a wait.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace nibble {

class Regex {
 public:
  // `pattern` in Oniguruma's syntax, which tokenizer.json uses (text/oniguruma.h). `origin`: errors
  // begin with it. Error kInvalidFile for a pattern that is none, with the place.
  Regex(std::string_view pattern, std::string origin);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  struct Match {
    size_t begin, end;
  };

  // Working memory of one thread; it may serve every Regex.
  class Scratch {
   public:
    Scratch();
    ~Scratch();
    Scratch(Scratch&&) noexcept;
    Scratch& operator=(Scratch&&) noexcept;

   private:
    friend class Regex;
    struct Data;
    std::unique_ptr<Data> data_;
  };

  // The first match at or after `start`. `text` must be UTF-8. Thread-safe. Error kInvalidFile when
  // the search exceeds the limits.
  bool find(std::string_view text, size_t start, Scratch& scratch, Match& match) const;

 private:
  struct Code;
  std::unique_ptr<const Code> code_;
};

}  // namespace nibble
