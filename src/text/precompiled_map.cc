#include "text/precompiled_map.h"

#include <array>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "text/characters.h"

namespace nibble {
namespace {

static_assert(std::endian::native == std::endian::little, "units are copied as they lie");

// Longer graphemes are never replaced as a whole.
constexpr size_t kMaxGraphemeBytes = 6;

// A unit of the double array.
constexpr bool has_leaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }
constexpr uint32_t value_of(uint32_t unit) { return unit & 0x7fffffff; }
constexpr uint32_t label_of(uint32_t unit) { return unit & 0x800000ff; }
constexpr uint32_t offset_of(uint32_t unit) { return unit >> 10 << ((unit & 0x200) >> 6); }

}  // namespace

PrecompiledMap::PrecompiledMap(std::string_view bytes, const std::string& origin) {
  uint32_t size = 0;
  if (bytes.size() >= sizeof size) std::memcpy(&size, bytes.data(), sizeof size);
  if (size < sizeof size || size % sizeof size != 0 || size > bytes.size() - sizeof size) {
    fail(ErrorCode::kInvalidFile,
         "{}: precompiled_charsmap: a trie of {} bytes in {}: it is damaged", origin, size,
         bytes.size());
  }
  units_.resize(size / sizeof size);
  std::memcpy(units_.data(), bytes.data() + sizeof size, size);
  replacements_ = bytes.substr(sizeof size + size);
}

// What replaces the shortest sequence that `key` begins with.
std::optional<std::string_view> PrecompiledMap::find(std::string_view key) const {
  uint32_t place = offset_of(units_[0]);
  for (const char c : key) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte == 0) return std::nullopt;
    place ^= byte;
    if (place >= units_.size()) return std::nullopt;
    const uint32_t unit = units_[place];
    if (label_of(unit) != byte) return std::nullopt;
    place ^= offset_of(unit);
    if (place >= units_.size()) return std::nullopt;
    if (!has_leaf(unit)) continue;
    const uint32_t begin = value_of(units_[place]);
    if (begin >= replacements_.size()) return std::nullopt;
    const std::string_view rest = std::string_view(replacements_).substr(begin);
    return rest.substr(0, rest.find('\0'));
  }
  return std::nullopt;
}

std::string PrecompiledMap::apply(std::string_view text) const {
  std::string result;
  result.reserve(text.size());
  for_each_grapheme(text, [&](std::string_view grapheme) {
    if (grapheme.size() < kMaxGraphemeBytes) {
      if (const auto found = find(grapheme)) {
        result += *found;
        return;
      }
    }
    for (size_t size = 0; !grapheme.empty(); grapheme.remove_prefix(size)) {
      first_character(grapheme, size);
      const std::string_view character = grapheme.substr(0, size);
      result += find(character).value_or(character);
    }
  });
  return result;
}

std::optional<std::string> bytes_of_base64(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  while (text.ends_with('=')) text.remove_suffix(1);
  for (const char c : text) {
    uint32_t digit = 0;
    if (c >= 'A' && c <= 'Z') {
      digit = static_cast<uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      digit = static_cast<uint32_t>(c - 'a' + 26);
    } else if (c >= '0' && c <= '9') {
      digit = static_cast<uint32_t>(c - '0' + 52);
    } else if (c == '+' || c == '/') {
      digit = c == '+' ? 62 : 63;
    } else {
      return std::nullopt;
    }
    bits = bits << 6 | digit;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return bytes;
}

}  // namespace nibble
