#include "text/jinja/json.h"

#include <algorithm>
#include <cmath>

#include "text/jinja/characters.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/unicode.h"

namespace nibble::jinja {
namespace {

const String* checked_text(Runtime& runtime, const std::string& text) {
  if (!is_utf8(text)) runtime.fail("a value for the template is not valid UTF-8");
  return runtime.text(text);
}

class Writer {
 public:
  Writer(Runtime& runtime, const JsonStyle& style) : runtime_(runtime), style_(style) {}

  void write(const Value& value) {
    const Runtime::Level level(runtime_);
    if (const Dict* dict = as<Dict>(value)) {
      write_dict(*dict);
    } else if (const Sequence* sequence = as<Sequence>(value);
               sequence != nullptr && sequence->type <= SequenceType::kTuple) {
      write_items(sequence->items);
    } else {
      write_scalar(value);
    }
    runtime_.charge_bytes(out_.size() - charged_);
    charged_ = out_.size();
  }
  std::string take() { return std::move(out_); }

 private:
  void write_scalar(const Value& value) {
    if (const String* text = get_text(value)) return write_text(text->text);
    if (is_none(value)) {
      out_ += "null";
    } else if (const bool* truth = std::get_if<bool>(&value)) {
      out_ += *truth ? "true" : "false";
    } else if (const int64_t* integer = get_int(value)) {
      out_ += std::to_string(*integer);
    } else if (const double* real = std::get_if<double>(&value)) {
      out_ += float_name(*real);
    } else {
      runtime_.fail("Object of type {} is not JSON serializable", type_name(value));
    }
  }

  static std::string float_name(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    return float_text(value);
  }

  void write_text(std::string_view text) {
    out_ += '"';
    for (size_t at = 0; at < text.size();) write_character(next_character(text, at));
    out_ += '"';
  }

  void write_character(char32_t c) {
    switch (c) {
      case '"':
        out_ += "\\\"";
        return;
      case '\\':
        out_ += "\\\\";
        return;
      case '\n':
        out_ += "\\n";
        return;
      case '\r':
        out_ += "\\r";
        return;
      case '\t':
        out_ += "\\t";
        return;
      case '\b':
        out_ += "\\b";
        return;
      case '\f':
        out_ += "\\f";
        return;
      default:
        break;
    }
    if (c >= 0x20 && (c < 0x80 ? c != 0x7f || !style_.ascii : !style_.ascii)) {
      append_character(out_, c);
    } else if (c < 0x10000) {
      write_escape(c);
    } else {  // UTF-16
      write_escape(0xd800 + ((c - 0x10000) >> 10));
      write_escape(0xdc00 + ((c - 0x10000) & 0x3ff));
    }
  }

  void write_escape(char32_t unit) {
    out_ += fmt::format("\\u{:04x}", static_cast<uint32_t>(unit));
  }

  void new_line() {
    if (style_.indent == nullptr) return;
    out_ += '\n';
    for (int i = 0; i < depth_; ++i) out_ += style_.indent->text;
    runtime_.charge(1);
  }

  void write_items(const Values& items) {
    if (items.empty()) {
      out_ += "[]";
      return;
    }
    out_ += '[';
    ++depth_;
    for (size_t i = 0; i < items.size(); ++i) {
      if (i != 0) out_ += style_.item_separator;
      new_line();
      write(items[i]);
    }
    --depth_;
    new_line();
    out_ += ']';
  }

  void write_dict(const Dict& dict) {
    if (dict.size() == 0) {
      out_ += "{}";
      return;
    }
    std::vector<Dict::Entry> entries = dict.entries();
    if (style_.sort_keys) {
      std::stable_sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) {
        return less(runtime_, a.first, b.first);
      });
    }
    out_ += '{';
    ++depth_;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (i != 0) out_ += style_.item_separator;
      new_line();
      write_key(entries[i].first);
      out_ += style_.key_separator;
      write(entries[i].second);
    }
    --depth_;
    new_line();
    out_ += '}';
  }

  void write_key(const Value& key) {
    if (const String* text = get_text(key)) return write_text(text->text);
    if (as<Sequence>(key) != nullptr) {
      runtime_.fail("keys must be str, int, float, bool or None, not {}", type_name(key));
    }
    out_ += '"';
    write_scalar(key);
    out_ += '"';
  }

  Runtime& runtime_;
  const JsonStyle& style_;
  std::string out_;
  size_t charged_ = 0;
  int depth_ = 0;
};

}  // namespace

Value from_json(Runtime& runtime, const OrderedJson& json) {
  const Runtime::Level level(runtime);
  switch (json.type()) {
    case OrderedJson::value_t::boolean:
      return json.get<bool>();
    case OrderedJson::value_t::number_integer:
      return json.get<int64_t>();
    case OrderedJson::value_t::number_unsigned:
      if (json.get<uint64_t>() > uint64_t{INT64_MAX}) return json.get<double>();
      return json.get<int64_t>();
    case OrderedJson::value_t::number_float:
      return json.get<double>();
    case OrderedJson::value_t::string:
      return checked_text(runtime, json.get_ref<const std::string&>());
    case OrderedJson::value_t::array: {
      Values items;
      for (const auto& item : json) items.push_back(from_json(runtime, item));
      return runtime.list(std::move(items));
    }
    case OrderedJson::value_t::object: {
      Dict* dict = runtime.dict();
      for (const auto& [key, value] : json.items()) {
        runtime.set(dict, checked_text(runtime, key), from_json(runtime, value));
      }
      return dict;
    }
    default:
      return None{};
  }
}

std::string to_json(Runtime& runtime, const Value& value, const JsonStyle& style) {
  Writer writer(runtime, style);
  writer.write(value);
  return writer.take();
}

}  // namespace nibble::jinja
