#include "text/jinja/split_text.h"

#include <algorithm>

#include "text/jinja/characters.h"

namespace nibble::jinja {
namespace {

using Parts = std::vector<std::string_view>;

// Characters from the front (or the back) that are white space, or are not.
std::string_view leading(std::string_view text, bool space) {
  size_t at = 0;
  for (size_t next = 0; at < text.size(); at = next) {
    if (is_space(next_character(text, next)) != space) break;
  }
  return text.substr(0, at);
}

std::string_view trailing(std::string_view text, bool space) {
  size_t at = text.size();
  while (at > 0) {
    size_t start = at - 1;
    while (start > 0 && (static_cast<uint8_t>(text[start]) & 0xc0) == 0x80) --start;
    size_t next = start;
    if (is_space(next_character(text, next)) != space) break;
    at = start;
  }
  return text.substr(at);
}

Parts split_words(std::string_view text, int64_t limit) {
  Parts parts;
  for (;;) {
    text.remove_prefix(leading(text, true).size());
    if (text.empty()) return parts;
    if (limit-- == 0) break;
    const std::string_view word = leading(text, false);
    parts.push_back(word);
    text.remove_prefix(word.size());
  }
  parts.push_back(text);  // what the limit left, with its inner and trailing white space
  return parts;
}

Parts rsplit_words(std::string_view text, int64_t limit) {
  Parts parts;
  for (;;) {
    text.remove_suffix(trailing(text, true).size());
    if (text.empty()) break;
    if (limit-- == 0) {
      parts.push_back(text);
      break;
    }
    const std::string_view word = trailing(text, false);
    parts.push_back(word);
    text.remove_suffix(word.size());
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

Parts split_at(std::string_view text, std::string_view separator, int64_t limit) {
  Parts parts;
  for (size_t at = 0; limit != 0 && (at = text.find(separator)) != text.npos; --limit) {
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  parts.push_back(text);
  return parts;
}

Parts rsplit_at(std::string_view text, std::string_view separator, int64_t limit) {
  Parts parts;
  for (size_t at = 0; limit != 0 && (at = text.rfind(separator)) != text.npos; --limit) {
    parts.push_back(text.substr(at + separator.size()));
    text = text.substr(0, at);
  }
  parts.push_back(text);
  std::reverse(parts.begin(), parts.end());
  return parts;
}

// How many copies of `fill` a field of `width` needs.
size_t missing_width(Runtime& runtime, const String& text, int64_t width, std::string_view fill) {
  if (width <= static_cast<int64_t>(text.length)) return 0;
  const size_t count = static_cast<size_t>(width) - text.length;
  runtime.charge_bytes(count);
  runtime.charge_bytes(count * (fill.size() - 1));
  return count;
}

std::string copies(std::string_view fill, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += fill;
  return out;
}

}  // namespace

Value split_text(Runtime& runtime, const String& text, const Value& separator, int64_t limit,
                 bool from_right) {
  runtime.charge(text.text.size() / 16);
  Parts parts;
  if (is_none(separator)) {
    parts = from_right ? rsplit_words(text.text, limit) : split_words(text.text, limit);
  } else {
    const String* at = get_text(separator);
    if (at == nullptr) runtime.fail("must be str or None, not {}", type_name(separator));
    if (at->text.empty()) runtime.fail("empty separator");
    parts =
        from_right ? rsplit_at(text.text, at->text, limit) : split_at(text.text, at->text, limit);
  }
  Values values;
  for (const auto part : parts) values.emplace_back(runtime.text(std::string(part), text.safe));
  return runtime.list(std::move(values));
}

std::string replaced(Runtime& runtime, std::string_view text, std::string_view from,
                     std::string_view to, int64_t limit) {
  runtime.charge(text.size() / 16);
  std::string out;
  size_t done = 0;  // bytes of `text` that are in `out`
  while (limit != 0) {
    // An empty `from` is found before each character and at the end.
    const size_t at = text.find(from, done);
    if (at == text.npos) break;
    runtime.charge_bytes(to.size());
    out.append(text.substr(done, at - done)).append(to);
    done = at + from.size();
    --limit;
    if (!from.empty()) continue;
    if (done == text.size()) return out;
    size_t next = done;
    next_character(text, next);
    out.append(text.substr(done, next - done));
    done = next;
  }
  return out.append(text.substr(done));
}

std::string padded(Runtime& runtime, const String& text, int64_t width, std::string_view fill,
                   bool to_right) {
  const std::string filling = copies(fill, missing_width(runtime, text, width, fill));
  return to_right ? filling + text.text : text.text + filling;
}

// CPython puts the odd one to the left when the width is odd.
std::string centred(Runtime& runtime, const String& text, int64_t width, std::string_view fill) {
  const size_t count = missing_width(runtime, text, width, fill);
  const size_t left = count / 2 + (count & static_cast<size_t>(std::max<int64_t>(width, 0)) & 1);
  return copies(fill, left) + text.text + copies(fill, count - left);
}

bool is_in_case(std::string_view text, bool upper) {
  bool found = false;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    if (upper ? is_lower(c) : is_upper(c)) return false;
    found = found || (upper ? is_upper(c) : is_lower(c));
  }
  return found;
}

}  // namespace nibble::jinja
