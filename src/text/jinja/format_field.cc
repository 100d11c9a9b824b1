#include "text/jinja/format_field.h"

#include <cmath>

#include "text/jinja/characters.h"
#include "text/jinja/print.h"

namespace nibble::jinja {
namespace {

constexpr int64_t kMaxPrecision = 400;  // digits of the longest double

std::string pad(Runtime& runtime, const Spec& spec, std::string sign, std::string body,
                bool is_number) {
  const size_t length = sign.size() + count_characters(body);
  const size_t missing =
      spec.width > static_cast<int64_t>(length) ? static_cast<size_t>(spec.width) - length : 0;
  runtime.charge_bytes(missing);
  runtime.charge_bytes(missing * (spec.fill.size() - 1));
  const auto fill = [&](size_t count) {
    std::string out;
    for (size_t i = 0; i < count; ++i) out += spec.fill;
    return out;
  };
  switch (spec.align != 0 ? spec.align : is_number ? '>' : '<') {
    case '<':
      return sign + body + fill(missing);
    case '^':
      return fill(missing / 2) + sign + body + fill(missing - missing / 2);
    case '=':
      return sign + fill(missing) + body;
    default:
      return fill(missing) + sign + body;
  }
}

std::string grouped(std::string digits) {
  const size_t end = std::min(digits.find('.'), digits.size());
  for (size_t at = end; at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string sign_of(const Spec& spec, bool negative) {
  return negative ? "-" : spec.sign != 0 ? std::string(1, spec.sign) : "";
}

std::string format_integer(Runtime& runtime, const Spec& spec, int64_t value) {
  const bool negative = value < 0;
  const uint64_t magnitude = negative ? 0 - static_cast<uint64_t>(value) : value;
  std::string sign = sign_of(spec, negative);
  std::string digits;
  switch (spec.type) {
    case 'x':
      digits = fmt::format("{:x}", magnitude);
      break;
    case 'X':
      digits = fmt::format("{:X}", magnitude);
      break;
    case 'o':
      digits = fmt::format("{:o}", magnitude);
      break;
    case 'b':
      digits = fmt::format("{:b}", magnitude);
      break;
    default:
      digits = fmt::format("{}", magnitude);
  }
  if (spec.precision > static_cast<int64_t>(digits.size())) {
    digits.insert(0, static_cast<size_t>(spec.precision) - digits.size(), '0');
  }
  if (spec.alternate && spec.type != 'd' && spec.type != 0) sign += std::string("0") + spec.type;
  return pad(runtime, spec, sign, spec.grouped ? grouped(digits) : digits, true);
}

std::string format_float(Runtime& runtime, const Spec& spec, double value) {
  const bool percent = spec.type == '%';
  const double magnitude = std::abs(percent ? value * 100 : value);
  const int precision = static_cast<int>(spec.precision < 0 ? 6 : spec.precision);
  std::string digits;
  switch (spec.type) {
    case 'e':
      digits = fmt::format("{:.{}e}", magnitude, precision);
      break;
    case 'E':
      digits = fmt::format("{:.{}E}", magnitude, precision);
      break;
    case 'g':
      digits = fmt::format("{:.{}g}", magnitude, precision);
      break;
    case 'G':
      digits = fmt::format("{:.{}G}", magnitude, precision);
      break;
    case 0:
      digits =
          spec.precision < 0 ? float_text(magnitude) : fmt::format("{:.{}g}", magnitude, precision);
      break;
    default:
      digits = fmt::format("{:.{}f}", magnitude, precision);
  }
  if (spec.grouped && std::isfinite(magnitude)) digits = grouped(digits);
  if (percent) digits += '%';
  return pad(runtime, spec, sign_of(spec, std::signbit(value)), digits, true);
}

}  // namespace

bool Cursor::skip(char c) {
  if (done() || peek() != c) return false;
  ++at;
  return true;
}

int64_t Cursor::number() {
  int64_t value = 0;
  for (; peek() >= '0' && peek() <= '9'; ++at) {
    if (value < int64_t{1} << 40) value = value * 10 + (text[at] - '0');
  }
  return value;
}

std::string format_string(Runtime& runtime, const Spec& spec, std::string text) {
  if (spec.precision >= 0) {
    text.resize(character_offset(text, static_cast<size_t>(spec.precision)));
  }
  return pad(runtime, spec, "", std::move(text), false);
}

std::string format_value(Runtime& runtime, const Spec& spec, const Value& value) {
  if (spec.precision > kMaxPrecision && get_text(value) == nullptr) {
    runtime.fail("a precision of more than {} digits", kMaxPrecision);
  }
  int64_t integer = 0;
  double number = 0;
  if (is_one_of(spec.type, "eEfFgG%") || (spec.type == 0 && std::get_if<double>(&value))) {
    if (!to_float(value, number)) {
      runtime.fail("Unknown format code '{}' for object of type '{}'", spec.type, type_name(value));
    }
    return format_float(runtime, spec, number);
  }
  const bool is_bool = std::holds_alternative<bool>(value);
  if (is_one_of(spec.type, "dxXob") || (spec.type == 0 && get_int(value) != nullptr)) {
    if (!to_int(value, integer)) {
      runtime.fail("Unknown format code '{}' for object of type '{}'", spec.type, type_name(value));
    }
    return format_integer(runtime, spec, integer);
  }
  if (spec.type != 0 && (spec.type != 's' || (is_number(value) && !is_bool))) {
    runtime.fail("Unknown format code '{}' for object of type '{}'", spec.type, type_name(value));
  }
  return format_string(runtime, spec, to_text(runtime, value));
}

}  // namespace nibble::jinja
