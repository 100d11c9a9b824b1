// Filters that make text.
#include "text/jinja/access.h"
#include "text/jinja/characters.h"
#include "text/jinja/filters.h"
#include "text/jinja/format_text.h"
#include "text/jinja/json.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/split_text.h"

namespace nibble::jinja {
namespace {

bool is_safe(const Value& value) {
  const String* text = get_text(value);
  return text != nullptr && text->safe;
}

template <std::string (*change)(std::string_view)>
Value changed(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "filter", arguments, {});
  const std::string text = to_text(runtime, value);
  runtime.charge(text.size() / 8);
  return runtime.text(change(text), is_safe(value));
}

// Words as the filter title sees them: after white space and - ( { [ <.
std::string title(std::string_view text) {
  std::string out;
  bool first = true;
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const char32_t c = next_character(text, at);
    const std::string_view one = text.substr(start, at - start);
    out += first ? to_upper(one) : to_lower(one);
    first = is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
  }
  return out;
}

Value trim(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "trim", arguments, {"chars"});
  const std::string text = to_text(runtime, value);
  const std::string_view set = bound.text(0, "");
  runtime.charge(text.size() / 64 * (1 + set.size()));
  const auto rest = strip(text, is_none(bound[0]) ? nullptr : &set, Side::kBoth);
  return runtime.text(std::string(rest), is_safe(value));
}

Value string(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "string", arguments, {});
  return get_text(value) != nullptr ? value : runtime.text(to_text(runtime, value));
}

Value safe(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "safe", arguments, {});
  return runtime.text(to_text(runtime, value), true);
}

Value forceescape(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "escape", arguments, {});
  return runtime.text(escape_html(to_text(runtime, value)), true);
}

Value escape(Runtime& runtime, const Value& value, const Arguments& arguments) {
  return is_safe(value) ? value : forceescape(runtime, value, arguments);
}

Value replace(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "replace", arguments, {"old", "new", "count"}, 2);
  return runtime.text(replaced(runtime, to_text(runtime, value), to_text(runtime, bound[0]),
                               to_text(runtime, bound[1]), bound.integer(2, -1)));
}

Value indent(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "indent", arguments, {"width", "first", "blank"});
  const bool every = bound.truth(2, false);
  const String* given = get_text(bound[0]);
  const String none("");
  const std::string unit =
      given != nullptr ? given->text : padded(runtime, none, bound.integer(0, 4), " ", false);
  const Value text = arithmetic(runtime, Arithmetic::kAdd, value, runtime.text("\n"));
  std::string out = bound.truth(1, false) ? unit : "";
  bool first = true;
  for (const auto line : split_lines(get_text(text)->text, false)) {
    runtime.charge_bytes(unit.size());
    if (!first) out += '\n';
    if (!first && (every || !line.empty())) out += unit;
    out += line;
    first = false;
  }
  return runtime.text(std::move(out), is_safe(value));
}

Value center(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "center", arguments, {"width"});
  const String text(to_text(runtime, value));
  return runtime.text(centred(runtime, text, bound.integer(0, 80), " "), is_safe(value));
}

Value truncate(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "truncate", arguments, {"length", "killwords", "end", "leeway"});
  const auto size = length(value);
  if (!size) runtime.fail("object of type '{}' has no len()", type_name(value));
  const String text(to_text(runtime, value));
  const String end{std::string(bound.text(2, "..."))};
  const auto kept = bound.integer(0, 255) - static_cast<int64_t>(end.length);
  const int64_t leeway = bound.integer(3, 5);
  if (kept < 0 || leeway < 0) {
    runtime.fail("truncate: length {} is less than that of its end, or leeway {} is negative",
                 bound.integer(0, 255), leeway);
  }
  if (static_cast<int64_t>(*size) - leeway <= bound.integer(0, 255)) return value;
  if (get_text(value) == nullptr)
    runtime.fail("truncate takes a string, not '{}'", type_name(value));
  std::string out = text.text.substr(0, character_offset(text.text, static_cast<size_t>(kept)));
  if (!bound.truth(1, false)) out = out.substr(0, out.rfind(' '));
  return runtime.text(out + end.text);
}

Value format(Runtime& runtime, const Value& value, const Arguments& arguments) {
  if (!arguments.positional.empty() && !arguments.named.empty()) {
    runtime.fail("can't handle positional and keyword arguments at the same time");
  }
  const String text(to_text(runtime, value), is_safe(value));
  if (arguments.named.empty()) {
    return format_percent(runtime, text,
                          runtime.sequence(SequenceType::kTuple, arguments.positional));
  }
  Dict* dict = runtime.dict();
  for (const auto& [name, item] : arguments.named) {
    runtime.set(dict, runtime.text(std::string(name)), item);
  }
  return format_percent(runtime, text, dict);
}

Value wordcount(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "wordcount", arguments, {});
  int64_t count = 0;
  bool inside = false;
  for (const char c : to_text(runtime, value)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool word = byte >= 0x80 || std::isalnum(byte) != 0 || c == '_';
    count += word && !inside ? 1 : 0;
    inside = word;
  }
  return count;
}

Value urlencode(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "urlencode", arguments, {});
  if (as<Dict>(value) != nullptr || as<Sequence>(value) != nullptr) {
    runtime.fail("the filter urlencode is supported for strings only");
  }
  std::string out;
  for (const char c : to_text(runtime, value)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 &&
        (std::isalnum(byte) != 0 || std::string_view("_.-~/").find(c) != std::string::npos)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return runtime.text(std::move(out));
}

// With transformers' parameters; indent may be a number of spaces or a text.
Value tojson(Runtime& runtime, const Value& value, const Arguments& arguments) {
  const Bound bound(runtime, "tojson", arguments,
                    {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ascii = bound.truth(0, false);
  style.sort_keys = bound.truth(3, false);
  if (!is_none(bound[1])) {
    const String none("");
    style.indent = get_text(bound[1]) != nullptr
                       ? get_text(bound[1])
                       : runtime.text(padded(runtime, none, bound.integer(1, 0), " ", false));
    style.item_separator = ",";
  }
  if (!is_none(bound[2])) {
    const Values separators = iterate(runtime, bound[2]);
    if (separators.size() != 2 || get_text(separators[0]) == nullptr ||
        get_text(separators[1]) == nullptr) {
      runtime.fail("tojson: separators is a pair of strings");
    }
    style.item_separator = get_text(separators[0])->text;
    style.key_separator = get_text(separators[1])->text;
  }
  return runtime.text(to_json(runtime, value, style));
}

constexpr FilterRow kFilters[] = {
    {"capitalize", changed<capitalize>},
    {"center", center},
    {"e", escape},
    {"escape", escape},
    {"forceescape", forceescape},
    {"format", format},
    {"indent", indent},
    {"lower", changed<to_lower>},
    {"replace", replace},
    {"safe", safe},
    {"string", string},
    {"title", changed<title>},
    {"tojson", tojson},
    {"trim", trim},
    {"truncate", truncate},
    {"upper", changed<to_upper>},
    {"urlencode", urlencode},
    {"wordcount", wordcount},
};

}  // namespace

std::span<const FilterRow> text_filters() { return kFilters; }

}  // namespace nibble::jinja
