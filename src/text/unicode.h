// UTF-8 (RFC 3629): where the sequences of a text end.
#pragma once

#include <string_view>

namespace nibble {

constexpr int kInvalidUtf8 = 0;
constexpr int kIncompleteUtf8 = -1;

// Bytes of the sequence that `text` (not empty) begins with, 1 to 4; kIncompleteUtf8 when more
// bytes could complete it; kInvalidUtf8 when nothing can (overlong forms and surrogates included).
int utf8_sequence(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace nibble
