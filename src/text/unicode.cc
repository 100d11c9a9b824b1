#include "text/unicode.h"

#include <cstddef>
#include <cstdint>

namespace nibble {
namespace {

// The legal first bytes: how long the sequence is, and the range of its second byte (RFC 3629,
// section 4). All further bytes are 80..BF.
struct Lead {
  uint8_t first, last;
  int length;
  uint8_t second_first, second_last;
};

constexpr Lead kLeads[] = {
    {0x00, 0x7f, 1, 0x00, 0x00}, {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

}  // namespace

int utf8_sequence(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  for (const Lead& lead : kLeads) {
    if (byte(0) < lead.first || byte(0) > lead.last) continue;
    for (int i = 1; i < lead.length; ++i) {
      if (static_cast<size_t>(i) == text.size()) return kIncompleteUtf8;
      const uint8_t first = i == 1 ? lead.second_first : 0x80;
      const uint8_t last = i == 1 ? lead.second_last : 0xbf;
      if (byte(i) < first || byte(i) > last) return kInvalidUtf8;
    }
    return lead.length;
  }
  return kInvalidUtf8;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const int length = utf8_sequence(text);
    if (length <= 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace nibble
