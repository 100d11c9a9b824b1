// Tokens to a tree: Jinja's grammar with the extensions that chat templates may use (break,
// continue, generation).
#pragma once

#include <string_view>

#include "text/jinja/ast.h"
#include "text/jinja/limits.h"

namespace nibble::jinja {

// Error kInvalidFile "ORIGIN: line N: ..." with Jinja's message, or naming what is not supported.
Block parse(std::string_view source, std::string_view origin, const Limits& limits);

}  // namespace nibble::jinja
