#include "text/jinja/item_path.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "text/jinja/access.h"
#include "text/jinja/characters.h"
#include "text/jinja/operators.h"

namespace nibble::jinja {
namespace {

Value part_of(Runtime& runtime, std::string_view text) {
  int64_t index = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), index);
  const bool digits = !text.empty() && text.front() != '-' && result.ec == std::errc() &&
                      result.ptr == text.data() + text.size();
  if (digits) return index;
  return runtime.text(std::string(text));
}

}  // namespace

ItemPath::ItemPath(Runtime& runtime, const Value& attribute) : runtime_(runtime) {
  const String* text = get_text(attribute);
  if (text == nullptr) {
    if (!is_none(attribute)) parts_.push_back(attribute);
    return;
  }
  std::string_view rest = text->text;
  for (size_t dot = 0; (dot = rest.find('.')) != rest.npos; rest.remove_prefix(dot + 1)) {
    parts_.push_back(part_of(runtime, rest.substr(0, dot)));
  }
  parts_.push_back(part_of(runtime, rest));
}

Value ItemPath::follow(const Value& item, const Value& otherwise) const {
  Value found = item;
  for (const Value& part : parts_) {
    found = element(runtime_, found, part);
    if (!is_none(otherwise) && is_undefined(found)) found = otherwise;
  }
  return found;
}

Value ignore_case(Runtime& runtime, const Value& value) {
  const String* text = get_text(value);
  if (text == nullptr) return value;
  runtime.charge(text->length / 8);
  return runtime.text(to_lower(text->text));
}

Values sorted(Runtime& runtime, Values items, const Values& keys, bool reverse) {
  std::vector<size_t> order(items.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return reverse ? less(runtime, keys[b], keys[a]) : less(runtime, keys[a], keys[b]);
  });
  Values result;
  result.reserve(items.size());
  for (const size_t at : order) result.push_back(items[at]);
  return result;
}

}  // namespace nibble::jinja
