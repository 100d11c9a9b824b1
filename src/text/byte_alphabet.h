// GPT-2's alphabet for bytes: each byte as one printable character, in which byte-level
// vocabularies write their tokens ("Ġthe" is " the"). Source: Radford et al. 2019, encoder.py.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nibble {

// The character, as UTF-8, of a byte.
std::string_view letter_of_byte(uint8_t byte);

// Bytes as letters of that alphabet.
std::string letters_of_bytes(std::string_view bytes);

// The other way; nullopt when a character is none of them.
std::optional<std::string> bytes_of_letters(std::string_view letters);

}  // namespace nibble
