// Oniguruma's regular expressions, which Hugging Face's tokenizers run, in PCRE2's words: what both
// write alike but mean differently, and what only the former has (nested classes, &&).
// Source: Oniguruma's doc/RE; PCRE2's pcre2pattern(3).
#pragma once

#include <string>
#include <string_view>

namespace nibble {

// Error kUnsupported, beginning with `origin`, for what cannot be said in PCRE2.
std::string pcre2_pattern(std::string_view oniguruma, std::string_view origin);

}  // namespace nibble
