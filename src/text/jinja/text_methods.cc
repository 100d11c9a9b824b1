// The methods of str.
#include <algorithm>
#include <iterator>
#include <limits>

#include "text/jinja/access.h"
#include "text/jinja/characters.h"
#include "text/jinja/format_text.h"
#include "text/jinja/methods.h"
#include "text/jinja/print.h"
#include "text/jinja/split_text.h"

namespace nibble::jinja {
namespace {

const String& text_of(const Value& value) { return *get_text(value); }

template <std::string (*change)(std::string_view)>
Value changed(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "str", arguments, {});
  runtime.charge(text_of(self).length / 8);
  return runtime.text(change(text_of(self).text), text_of(self).safe);
}

template <Side side>
Value stripped(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "strip", arguments, {"chars"});
  const std::string_view set = bound.text(0, "");
  runtime.charge(text_of(self).length / 64 * (1 + set.size()));
  const auto rest = strip(text_of(self).text, is_none(bound[0]) ? nullptr : &set, side);
  return runtime.text(std::string(rest), text_of(self).safe);
}

Value text_split(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "split", arguments, {"sep", "maxsplit"});
  return split_text(runtime, text_of(self), bound[0], bound.integer(1, -1), false);
}

Value text_rsplit(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "rsplit", arguments, {"sep", "maxsplit"});
  return split_text(runtime, text_of(self), bound[0], bound.integer(1, -1), true);
}

Value text_splitlines(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "splitlines", arguments, {"keepends"});
  Values lines;
  for (const auto line : split_lines(text_of(self).text, bound.truth(0, false))) {
    lines.emplace_back(runtime.text(std::string(line)));
  }
  return runtime.list(std::move(lines));
}

// The part of `text` between characters start and end, as s[start:end].
std::string_view window(Runtime& runtime, const Value& self, const Bound& bound, size_t start,
                        size_t end) {
  if (!bound.has(start) && !bound.has(end)) return text_of(self).text;
  return get_text(slice(runtime, self, bound[start], bound[end], None{}))->text;
}

// startswith, endswith: of one text, or of any of a tuple.
template <bool (*matches)(std::string_view, std::string_view)>
Value tested(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "startswith", arguments, {"prefix", "start", "end"}, 1);
  const std::string_view text = window(runtime, self, bound, 1, 2);
  const Sequence* several = get_sequence(bound[0], SequenceType::kTuple);
  const Values affixes = several == nullptr ? Values{bound[0]} : several->items;
  return std::any_of(affixes.begin(), affixes.end(), [&](const Value& affix) {
    const String* part = get_text(affix);
    if (part == nullptr) {
      runtime.fail("startswith and endswith take a str or a tuple of str, not {}",
                   type_name(affix));
    }
    return matches(text, part->text);
  });
}

bool starts_with(std::string_view text, std::string_view part) { return text.starts_with(part); }
bool ends_with(std::string_view text, std::string_view part) { return text.ends_with(part); }

Value text_replace(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "replace", arguments, {"old", "new", "count"}, 2);
  return runtime.text(replaced(runtime, text_of(self).text, bound.text(0, ""), bound.text(1, ""),
                               bound.integer(2, -1)),
                      text_of(self).safe);
}

Value text_count(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "count", arguments, {"sub", "start", "end"}, 1);
  const std::string_view text = window(runtime, self, bound, 1, 2);
  const std::string_view part = bound.text(0, "");
  runtime.charge(text.size() / 16);
  if (part.empty()) return static_cast<int64_t>(count_characters(text)) + 1;
  int64_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++count;
  return count;
}

template <bool from_right, bool must_find>
Value text_find(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "find", arguments, {"sub"}, 1);
  const std::string& text = text_of(self).text;
  runtime.charge(text.size() / 64);
  const std::string_view part = bound.text(0, "");
  const size_t at = from_right ? text.rfind(part) : text.find(part);
  if (at != text.npos) {
    return static_cast<int64_t>(count_characters(std::string_view(text).substr(0, at)));
  }
  if (must_find) runtime.fail("substring not found");
  return int64_t{-1};
}

Value text_join(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "join", arguments, {"iterable"}, 1);
  std::string out;
  const Values items = iterate(runtime, bound[0]);
  for (size_t i = 0; i < items.size(); ++i) {
    const String* text = get_text(items[i]);
    if (text == nullptr) {
      runtime.fail("sequence item {}: expected str instance, {} found", i, type_name(items[i]));
    }
    runtime.charge_bytes(text->text.size() + text_of(self).text.size());
    if (i != 0) out += text_of(self).text;
    out += text->text;
  }
  return runtime.text(std::move(out));
}

template <bool from_right>
Value text_partition(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "partition", arguments, {"sep"}, 1);
  const std::string& text = text_of(self).text;
  const std::string_view separator = bound.text(0, "");
  if (separator.empty()) runtime.fail("empty separator");
  const size_t at = from_right ? text.rfind(separator) : text.find(separator);
  const Value empty = runtime.text("");
  if (at == text.npos) {
    return runtime.sequence(SequenceType::kTuple,
                            from_right ? Values{empty, empty, self} : Values{self, empty, empty});
  }
  return runtime.sequence(SequenceType::kTuple, {runtime.text(text.substr(0, at)), bound[0],
                                                 runtime.text(text.substr(at + separator.size()))});
}

template <bool at_end>
Value text_remove(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "removeprefix", arguments, {"affix"}, 1);
  std::string_view text = text_of(self).text;
  const std::string_view part = bound.text(0, "");
  if (at_end && text.ends_with(part)) text.remove_suffix(part.size());
  if (!at_end && text.starts_with(part)) text.remove_prefix(part.size());
  return runtime.text(std::string(text));
}

enum class Place { kLeft, kRight, kCentre };

template <Place place>
Value text_pad(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "center", arguments, {"width", "fillchar"}, 1);
  const std::string_view fill = bound.text(1, " ");
  if (count_characters(fill) != 1) {
    runtime.fail("The fill character must be exactly one character long");
  }
  return runtime.text(
      place == Place::kCentre
          ? centred(runtime, text_of(self), bound.integer(0, 0), fill)
          : padded(runtime, text_of(self), bound.integer(0, 0), fill, place == Place::kRight));
}

Value text_zfill(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "zfill", arguments, {"width"}, 1);
  const String& text = text_of(self);
  const bool sign = text.text.starts_with('-') || text.text.starts_with('+');
  const std::string out = padded(runtime, text, bound.integer(0, 0), "0", true);
  if (!sign) return runtime.text(out);
  const size_t zeros = out.size() - text.text.size();
  return runtime.text(text.text.substr(0, 1) + std::string(zeros, '0') + text.text.substr(1));
}

// isdigit and relatives: every character of a text that has some. Which characters beyond ASCII
// are letters is not known here.
template <bool (*is_one)(char32_t)>
Value consists_of(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "isalnum", arguments, {});
  const String& text = text_of(self);
  if (!text.is_ascii()) {
    runtime.fail("isalnum() and its relatives are supported for ASCII text only");
  }
  return text.length != 0 && std::all_of(text.text.begin(), text.text.end(), [](char c) {
           return is_one(static_cast<unsigned char>(c));
         });
}

bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
bool is_alpha(char32_t c) { return is_upper(c) || is_lower(c); }
bool is_alnum(char32_t c) { return is_digit(c) || is_alpha(c); }

Value text_isspace(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "isspace", arguments, {});
  return text_of(self).length != 0 && strip(text_of(self).text, nullptr, Side::kLeft).empty();
}

Value text_isascii(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "isascii", arguments, {});
  return text_of(self).is_ascii();
}

template <bool upper>
Value text_is_case(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Bound bound(runtime, "isupper", arguments, {});
  return is_in_case(text_of(self).text, upper);
}

Value text_format(Runtime& runtime, const Value& self, const Arguments& arguments) {
  return format_braces(runtime, text_of(self), arguments);
}

struct Method {
  std::string_view name;
  Builtin::Function function;
};

constexpr Method kMethods[] = {
    {"capitalize", changed<capitalize>},
    {"center", text_pad<Place::kCentre>},
    {"count", text_count},
    {"endswith", tested<ends_with>},
    {"find", text_find<false, false>},
    {"format", text_format},
    {"index", text_find<false, true>},
    {"isalnum", consists_of<is_alnum>},
    {"isalpha", consists_of<is_alpha>},
    {"isascii", text_isascii},
    {"isdecimal", consists_of<is_digit>},
    {"isdigit", consists_of<is_digit>},
    {"islower", text_is_case<false>},
    {"isnumeric", consists_of<is_digit>},
    {"isspace", text_isspace},
    {"isupper", text_is_case<true>},
    {"join", text_join},
    {"ljust", text_pad<Place::kLeft>},
    {"lower", changed<to_lower>},
    {"lstrip", stripped<Side::kLeft>},
    {"partition", text_partition<false>},
    {"removeprefix", text_remove<false>},
    {"removesuffix", text_remove<true>},
    {"replace", text_replace},
    {"rfind", text_find<true, false>},
    {"rindex", text_find<true, true>},
    {"rjust", text_pad<Place::kRight>},
    {"rpartition", text_partition<true>},
    {"rsplit", text_rsplit},
    {"rstrip", stripped<Side::kRight>},
    {"split", text_split},
    {"splitlines", text_splitlines},
    {"startswith", tested<starts_with>},
    {"strip", stripped<Side::kBoth>},
    {"swapcase", changed<swap_case>},
    {"title", changed<to_title>},
    {"upper", changed<to_upper>},
    {"zfill", text_zfill},
};

}  // namespace

Builtin::Function find_text_method(std::string_view name) {
  const auto* found = std::find_if(std::begin(kMethods), std::end(kMethods),
                                   [&](const Method& method) { return method.name == name; });
  return found == std::end(kMethods) ? nullptr : found->function;
}

}  // namespace nibble::jinja
