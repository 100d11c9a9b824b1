#include <algorithm>

#include "text/jinja/characters.h"
#include "text/jinja/format_field.h"
#include "text/jinja/format_text.h"
#include "text/jinja/print.h"

namespace nibble::jinja {
namespace {

Spec brace_spec(Runtime& runtime, std::string_view text) {
  Spec spec;
  Cursor cursor{text};
  size_t behind = 0;
  if (!text.empty()) next_character(text, behind);
  if (behind != 0 && behind < text.size() && is_one_of(text[behind], "<>^=")) {
    spec.fill = text.substr(0, behind);
    spec.align = text[behind];
    cursor.at = behind + 1;
  } else if (is_one_of(cursor.peek(), "<>^=")) {
    spec.align = text[cursor.at++];
  }
  if (is_one_of(cursor.peek(), "+- ")) {
    const char sign = text[cursor.at++];
    spec.sign = sign == '-' ? '\0' : sign;
  }
  spec.alternate = cursor.skip('#');
  if (cursor.skip('0') && spec.align == 0) {
    spec.fill = "0";
    spec.align = '=';
  }
  spec.width = cursor.number();
  spec.grouped = cursor.skip(',');
  if (cursor.skip('.')) spec.precision = cursor.number();
  if (!cursor.done()) spec.type = text[cursor.at++];
  if (!cursor.done() || (spec.type != 0 && !is_one_of(spec.type, "sdxXobeEfFgG%"))) {
    runtime.fail("Invalid format specifier '{}'", text);
  }
  return spec;
}

// Which argument each field takes: those without a name in their order.
class BraceFields {
 public:
  BraceFields(Runtime& runtime, const Arguments& arguments)
      : runtime_(runtime), arguments_(arguments) {}

  Value find(std::string_view name) {
    if (name.find_first_of(".[") != name.npos) {
      runtime_.fail("format(): fields with attributes or elements are not supported");
    }
    if (name.empty()) return positional(next_++);
    if (std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      Cursor cursor{name};
      return positional(static_cast<size_t>(cursor.number()));
    }
    for (const auto& [given, value] : arguments_.named) {
      if (given == name) return value;
    }
    runtime_.fail("{}", quote(name));
  }

 private:
  Value positional(size_t index) {
    if (index >= arguments_.positional.size()) {
      runtime_.fail("Replacement index {} out of range for positional args tuple", index);
    }
    return arguments_.positional[index];
  }

  Runtime& runtime_;
  const Arguments& arguments_;
  size_t next_ = 0;
};

std::string brace_field(Runtime& runtime, std::string_view field, BraceFields& fields) {
  std::string_view spec;
  if (const size_t colon = field.find(':'); colon != field.npos) {
    spec = field.substr(colon + 1);
    field = field.substr(0, colon);
  }
  char conversion = 0;
  if (const size_t mark = field.find('!'); mark != field.npos) {
    if (mark + 2 != field.size() || !is_one_of(field.back(), "sr")) {
      runtime.fail("format(): the conversion '{}' is not supported", field.substr(mark));
    }
    conversion = field.back();
    field = field.substr(0, mark);
  }
  Value value = fields.find(field);
  if (conversion == 'r') value = runtime.text(repr(runtime, value));
  if (conversion == 's') value = runtime.text(to_text(runtime, value));
  return format_value(runtime, brace_spec(runtime, spec), value);
}

}  // namespace

Value format_braces(Runtime& runtime, const String& text, const Arguments& arguments) {
  BraceFields fields(runtime, arguments);
  Cursor cursor{text.text};
  std::string out;
  while (!cursor.done()) {
    const char c = cursor.text[cursor.at++];
    if ((c == '{' || c == '}') && cursor.skip(c)) {
      out += c;
    } else if (c == '}') {
      runtime.fail("Single '}}' encountered in format string");
    } else if (c == '{') {
      const size_t close = cursor.text.find('}', cursor.at);
      if (close == cursor.text.npos) runtime.fail("Single '{{' encountered in format string");
      const std::string field =
          brace_field(runtime, cursor.text.substr(cursor.at, close - cursor.at), fields);
      runtime.charge_bytes(field.size());
      out += field;
      cursor.at = close + 1;
    } else {
      out += c;
    }
  }
  return runtime.text(std::move(out), text.safe);
}

}  // namespace nibble::jinja
