#include <algorithm>
#include <cmath>

#include "text/jinja/format_field.h"
#include "text/jinja/format_text.h"
#include "text/jinja/print.h"

namespace nibble::jinja {
namespace {

// Python lets values that have elements go unused, but not tuples and strings.
bool has_elements(const Value& value) {
  const Sequence* sequence = as<Sequence>(value);
  return as<Dict>(value) != nullptr || is_undefined(value) ||
         (sequence != nullptr && sequence->is_indexed());
}

// The values of a % in the order in which its conversions take them.
class PercentValues {
 public:
  PercentValues(Runtime& runtime, const Value& values)
      : runtime_(runtime),
        values_(values),
        tuple_(get_sequence(values, SequenceType::kTuple)),
        used_(has_elements(values)) {}

  Value next() {
    if (tuple_ == nullptr) {
      if (std::exchange(taken_, true)) runtime_.fail("not enough arguments for format string");
      used_ = true;
      return values_;
    }
    if (position_ == tuple_->items.size()) {
      runtime_.fail("not enough arguments for format string");
    }
    return tuple_->items[position_++];
  }

  Value named(std::string_view name) {
    const Dict* dict = as<Dict>(values_);
    if (dict == nullptr) runtime_.fail("format requires a mapping");
    const Value* found = dict->find(name);
    if (found == nullptr) runtime_.fail("{}", quote(name));
    return *found;
  }

  void check_all_used() const {
    if (tuple_ != nullptr ? position_ != tuple_->items.size() : !used_) {
      runtime_.fail("not all arguments converted during string formatting");
    }
  }

 private:
  Runtime& runtime_;
  Value values_;
  const Sequence* tuple_;
  size_t position_ = 0;
  bool taken_ = false;
  bool used_;  // or it need not be
};

int64_t star_or_number(Runtime& runtime, Cursor& cursor, PercentValues& values) {
  if (!cursor.skip('*')) return cursor.number();
  int64_t result = 0;
  if (!to_int(values.next(), result)) runtime.fail("* wants int");
  return std::max<int64_t>(result, 0);
}

void read_flags(Cursor& cursor, Spec& spec) {
  bool zero = false;
  for (; is_one_of(cursor.peek(), "-+ #0"); ++cursor.at) {
    const char flag = cursor.peek();
    if (flag == '-') spec.align = '<';
    if (flag == '+' || (flag == ' ' && spec.sign == 0)) spec.sign = flag;
    if (flag == '#') spec.alternate = true;
    if (flag == '0') zero = true;
  }
  if (spec.align == 0) spec.align = zero ? '=' : '>';
  if (zero && spec.align == '=') spec.fill = "0";
}

std::string convert_percent(Runtime& runtime, Spec spec, char conversion, const Value& value) {
  if (is_one_of(conversion, "sra")) {
    if (spec.align == '=') spec.align = '>';
    spec.fill = " ";
    return format_string(runtime, spec,
                         conversion == 's' ? to_text(runtime, value) : repr(runtime, value));
  }
  if (conversion == 'c') {
    const String* text = get_text(value);
    if (text == nullptr || text->length != 1) runtime.fail("%c requires int or char");
    return format_string(runtime, spec, text->text);
  }
  if (!is_number(value)) {
    runtime.fail("%{} format: a real number is required, not {}", conversion, type_name(value));
  }
  const double* real = std::get_if<double>(&value);
  if (is_one_of(conversion, "diu")) {
    spec.type = 'd';
    if (real == nullptr) return format_value(runtime, spec, value);
    if (!(std::abs(*real) < 9.2e18)) runtime.fail("cannot convert {} to integer", *real);
    return format_value(runtime, spec, static_cast<int64_t>(*real));
  }
  spec.type = conversion;
  return format_value(runtime, spec, value);
}

std::string percent_field(Runtime& runtime, Cursor& cursor, PercentValues& values) {
  if (cursor.skip('%')) return "%";
  Value value;
  bool by_name = false;
  if (cursor.skip('(')) {
    const size_t close = cursor.text.find(')', cursor.at);
    if (close == cursor.text.npos) runtime.fail("incomplete format key");
    value = values.named(cursor.text.substr(cursor.at, close - cursor.at));
    cursor.at = close + 1;
    by_name = true;
  }
  Spec spec;
  read_flags(cursor, spec);
  spec.width = star_or_number(runtime, cursor, values);
  if (cursor.skip('.')) spec.precision = star_or_number(runtime, cursor, values);
  if (cursor.done()) runtime.fail("incomplete format");
  const char conversion = cursor.text[cursor.at++];
  if (!is_one_of(conversion, "sradiuoxXeEfFgGc")) {
    runtime.fail("unsupported format character '{}' (0x{:x}) at index {}", conversion,
                 static_cast<unsigned char>(conversion), cursor.at - 1);
  }
  return convert_percent(runtime, spec, conversion, by_name ? value : values.next());
}

}  // namespace

Value format_percent(Runtime& runtime, const String& text, const Value& value) {
  PercentValues values(runtime, value);
  Cursor cursor{text.text};
  std::string out;
  while (!cursor.done()) {
    const size_t next = std::min(cursor.text.find('%', cursor.at), cursor.text.size());
    out += cursor.text.substr(cursor.at, next - cursor.at);
    cursor.at = next;
    if (!cursor.skip('%')) continue;
    const std::string field = percent_field(runtime, cursor, values);
    runtime.charge_bytes(field.size());
    out += field;
  }
  values.check_all_used();
  return runtime.text(std::move(out), text.safe);
}

}  // namespace nibble::jinja
