#include "text/byte_alphabet.h"

#include <array>

namespace nibble {
namespace {

constexpr bool is_printable(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

struct Alphabet {
  std::array<std::array<char, 2>, 256> utf8{};
  std::array<uint8_t, 256> sizes{};
  std::array<int16_t, 0x144> bytes{};  // by code point; -1: none

  constexpr Alphabet() {
    bytes.fill(-1);
    int next = 0x100;  // the others follow in order
    for (int byte = 0; byte < 256; ++byte) {
      const int letter = is_printable(byte) ? byte : next++;
      bytes[letter] = static_cast<int16_t>(byte);
      if (letter < 0x80) {
        sizes[byte] = 1;
        utf8[byte][0] = static_cast<char>(letter);
      } else {
        sizes[byte] = 2;
        utf8[byte][0] = static_cast<char>(0xc0 | letter >> 6);
        utf8[byte][1] = static_cast<char>(0x80 | (letter & 0x3f));
      }
    }
  }
};

constexpr Alphabet kAlphabet;

}  // namespace

std::string_view letter_of_byte(uint8_t byte) {
  return {kAlphabet.utf8[byte].data(), kAlphabet.sizes[byte]};
}

std::string letters_of_bytes(std::string_view bytes) {
  std::string letters;
  letters.reserve(bytes.size() * 2);
  for (const char byte : bytes) letters += letter_of_byte(static_cast<uint8_t>(byte));
  return letters;
}

std::optional<std::string> bytes_of_letters(std::string_view letters) {
  std::string bytes;
  bytes.reserve(letters.size());
  for (size_t i = 0; i < letters.size(); ++i) {
    auto letter = static_cast<uint32_t>(static_cast<uint8_t>(letters[i]));
    if (letter >= 0x80) {
      if (letter < 0xc0 || letter >= 0xe0 || i + 1 == letters.size()) return std::nullopt;
      letter = (letter & 0x1f) << 6 | (static_cast<uint8_t>(letters[++i]) & 0x3f);
    }
    if (letter >= kAlphabet.bytes.size() || kAlphabet.bytes[letter] < 0) return std::nullopt;
    bytes += static_cast<char>(kAlphabet.bytes[letter]);
  }
  return bytes;
}

}  // namespace nibble
