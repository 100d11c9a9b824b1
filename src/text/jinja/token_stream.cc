#include "text/jinja/token_stream.h"

#include "text/jinja/print.h"

namespace nibble::jinja {

Token TokenStream::fail_expected(std::string_view expected) const {
  if (is(TokenType::kEnd)) {
    fail_at(line(), "unexpected end of template, expected {}.", quote(expected));
  }
  fail_at(line(), "expected token {}, got {}", quote(expected), quote(describe(current())));
}

}  // namespace nibble::jinja
