#include "text/jinja/parse_number.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <string>

#include "text/jinja/characters.h"

namespace nibble::jinja {
namespace {

// Digits with single underscores between them, as Python reads numbers; nothing: something else.
std::optional<std::string> without_underscores(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    const auto is_digit = [&](size_t at) {
      return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
    };
    if (i == 0 || !is_digit(i - 1) || !is_digit(i + 1)) return std::nullopt;
  }
  return out;
}

struct Base {
  int base;
  char letter;
};

// "0x" and relatives, where int(text, base) takes them.
int take_prefix(std::string_view& digits, int base) {
  if (digits.size() < 2 || digits[0] != '0') return base == 0 ? 10 : base;
  const char letter = static_cast<char>(std::tolower(static_cast<unsigned char>(digits[1])));
  for (const Base known : {Base{16, 'x'}, Base{8, 'o'}, Base{2, 'b'}}) {
    if (letter != known.letter || (base != 0 && base != known.base)) continue;
    digits.remove_prefix(2);
    if (digits.starts_with('_')) digits.remove_prefix(1);
    return known.base;
  }
  return base == 0 ? 10 : base;
}

}  // namespace

std::optional<int64_t> parse_integer(std::string_view text, int64_t base) {
  if (base != 0 && (base < 2 || base > 36)) return std::nullopt;
  std::string_view digits = strip(text, nullptr, Side::kBoth);
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  const int radix = take_prefix(digits, static_cast<int>(base));
  const auto plain = without_underscores(digits);
  if (!plain || plain->empty()) return std::nullopt;
  const std::string signed_digits = (negative ? "-" : "") + *plain;
  if (!std::isalnum(static_cast<unsigned char>(plain->front()))) return std::nullopt;
  int64_t value = 0;
  const char* end = signed_digits.data() + signed_digits.size();
  const auto result = std::from_chars(signed_digits.data(), end, value, radix);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

std::optional<double> parse_float(std::string_view text) {
  const auto plain = without_underscores(strip(text, nullptr, Side::kBoth));
  if (!plain) return std::nullopt;
  std::string_view digits = *plain;
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  double value = 0;
  const char* end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, value);
  if (digits.empty() || result.ptr != end || digits.find('(') != digits.npos) return std::nullopt;
  if (result.ec == std::errc::result_out_of_range) {
    if (digits.find("e-") != digits.npos || digits.find("E-") != digits.npos) return 0.0;
    return digits.starts_with('-') ? -HUGE_VAL : HUGE_VAL;
  }
  if (result.ec != std::errc()) return std::nullopt;
  return value;
}

}  // namespace nibble::jinja
