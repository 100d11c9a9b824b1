#include "text/jinja/print.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "text/jinja/callable.h"
#include "text/jinja/characters.h"
#include "text/jinja/loop.h"

namespace nibble::jinja {
namespace {

void append_escaped(std::string& out, char32_t c, char quotes) {
  if (c == '\\' || c == static_cast<unsigned char>(quotes)) {
    out += '\\';
    out += static_cast<char>(c);
  } else if (c == '\n' || c == '\r' || c == '\t') {
    out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
  } else if (c == ' ' || is_printable(c)) {
    append_character(out, c);
  } else if (c < 0x100) {
    out += fmt::format("\\x{:02x}", static_cast<uint32_t>(c));
  } else if (c < 0x10000) {
    out += fmt::format("\\u{:04x}", static_cast<uint32_t>(c));
  } else {
    out += fmt::format("\\U{:08x}", static_cast<uint32_t>(c));
  }
}

// Appends repr() to one text, so that nested values are copied once.
class Printer {
 public:
  explicit Printer(Runtime& runtime) : runtime_(runtime) {}

  void print(const Value& value) {
    const Runtime::Level level(runtime_);
    std::visit([this](const auto& v) { print_one(v); }, value);
    runtime_.charge_bytes(out_.size() - charged_);
    charged_ = out_.size();
  }
  std::string take() { return std::move(out_); }

 private:
  void print_one(const Undefined*) { out_ += "Undefined"; }
  void print_one(None) { out_ += "None"; }
  void print_one(bool value) { out_ += value ? "True" : "False"; }
  void print_one(int64_t value) { out_ += std::to_string(value); }
  void print_one(double value) { out_ += float_text(value); }
  void print_one(const String* text) {
    out_ += text->safe ? "Markup(" + quote(text->text) + ")" : quote(text->text);
  }
  void print_one(const Callable* callable) { out_ += fmt::format("<{}>", callable->type_name()); }
  void print_one(Loop* loop) {
    out_ += fmt::format("<LoopContext {}/{}>", loop->index0() + 1, loop->length());
  }

  void print_items(const Values& items, std::string_view open, std::string_view close) {
    out_ += open;
    for (size_t i = 0; i < items.size(); ++i) {
      if (i != 0) out_ += ", ";
      print(items[i]);
    }
    out_ += close;
  }

  void print_one(const Sequence* sequence) {
    switch (sequence->type) {
      case SequenceType::kList:
        return print_items(sequence->items, "[", "]");
      case SequenceType::kTuple:
        return print_items(sequence->items, "(", sequence->items.size() == 1 ? ",)" : ")");
      case SequenceType::kRange:
        return print_range(sequence->items);
      case SequenceType::kGenerator:
        out_ += "<generator object>";
        return;
      default:
        out_ += type_name(sequence);
        return print_items(sequence->items, "([", "])");
    }
  }

  // The bounds that items of a range come from; those of an empty one are not kept.
  void print_range(const Values& items) {
    const auto at = [&](size_t i) { return std::get<int64_t>(items[i]); };
    const int64_t first = items.empty() ? 0 : at(0);
    const int64_t step = items.size() < 2 ? 1 : at(1) - first;
    const int64_t end = items.empty() ? 0 : at(items.size() - 1) + step;
    out_ += step == 1 ? fmt::format("range({}, {})", first, end)
                      : fmt::format("range({}, {}, {})", first, end, step);
  }

  void print_one(const Dict* dict) {
    out_ += '{';
    for (size_t i = 0; i < dict->size(); ++i) {
      if (i != 0) out_ += ", ";
      print(dict->entries()[i].first);
      out_ += ": ";
      print(dict->entries()[i].second);
    }
    out_ += '}';
  }

  void print_one(Namespace* values) {
    out_ += "<Namespace {";
    for (size_t i = 0; i < values->attributes.size(); ++i) {
      if (i != 0) out_ += ", ";
      out_ += quote(values->attributes[i].first) + ": ";
      print(values->attributes[i].second);
    }
    out_ += "}>";
  }

  Runtime& runtime_;
  std::string out_;
  size_t charged_ = 0;
};

}  // namespace

std::string quote(std::string_view text) {
  const bool single = text.find('\'') == text.npos || text.find('"') != text.npos;
  const char quotes = single ? '\'' : '"';
  std::string out(1, quotes);
  for (size_t at = 0; at < text.size();) append_escaped(out, next_character(text, at), quotes);
  return out + quotes;
}

// Python writes what the shortest digits d.ddd * 10^e are: positional for -4 <= e < 16.
std::string float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char digits[64];
  const auto scientific =
      std::to_chars(std::begin(digits), std::end(digits), value, std::chars_format::scientific);
  const std::string shortest(digits, scientific.ptr);
  const int exponent = std::atoi(shortest.c_str() + shortest.find('e') + 1);
  if (exponent < -4 || exponent >= 16) return shortest;
  const auto fixed =
      std::to_chars(std::begin(digits), std::end(digits), value, std::chars_format::fixed);
  std::string text(digits, fixed.ptr);
  return text.find('.') == text.npos ? text + ".0" : text;
}

std::string repr(Runtime& runtime, const Value& value) {
  Printer printer(runtime);
  printer.print(value);
  return printer.take();
}

std::string to_text(Runtime& runtime, const Value& value) {
  if (const String* text = get_text(value)) return text->text;
  if (is_undefined(value)) return "";
  return repr(runtime, value);
}

}  // namespace nibble::jinja
