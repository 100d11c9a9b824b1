#include "text/jinja/globals.h"

#include <limits>

#include "text/jinja/access.h"
#include "text/jinja/print.h"

namespace nibble::jinja {
namespace {

Value range(Runtime& runtime, const Value&, const Arguments& arguments) {
  const Bound bound(runtime, "range", arguments, {"start", "stop", "step"}, 1);
  const bool only_stop = !bound.has(1);
  const int64_t start = only_stop ? 0 : bound.integer(0, 0);
  const int64_t stop = bound.integer(only_stop ? 0 : 1, 0);
  const int64_t step = bound.integer(2, 1);
  if (step == 0) runtime.fail("range() arg 3 must not be zero");
  Values items;
  for (int64_t i = start; step > 0 ? i < stop : i > stop;) {
    if (static_cast<int64_t>(items.size()) == kMaxRange) {
      runtime.fail("Range too big. The sandbox blocks ranges larger than MAX_RANGE ({}).",
                   kMaxRange);
    }
    items.emplace_back(i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return runtime.sequence(SequenceType::kRange, std::move(items));
}

// What dict() and namespace() are given: a dict or pairs, then named arguments.
Dict* collected(Runtime& runtime, const Arguments& arguments) {
  Dict* dict = runtime.dict();
  if (arguments.positional.size() > 1) {
    runtime.fail("dict expected at most 1 argument, got {}", arguments.positional.size());
  }
  for (const Value& source : arguments.positional) {
    if (const Dict* other = as<Dict>(source)) {
      for (const auto& [key, value] : other->entries()) runtime.set(dict, key, value);
      continue;
    }
    for (const Value& pair : iterate(runtime, source)) {
      const Values parts = iterate(runtime, pair);
      if (parts.size() != 2) {
        runtime.fail("dictionary update sequence: an element has length {}; 2 is required",
                     parts.size());
      }
      runtime.set(dict, parts[0], parts[1]);
    }
  }
  for (const auto& [name, value] : arguments.named) {
    runtime.set(dict, runtime.text(std::string(name)), value);
  }
  return dict;
}

Value dict(Runtime& runtime, const Value&, const Arguments& arguments) {
  return collected(runtime, arguments);
}

Value make_namespace(Runtime& runtime, const Value&, const Arguments& arguments) {
  auto* result = runtime.make<Namespace>();
  for (const auto& [key, value] : collected(runtime, arguments)->entries()) {
    const String* name = get_text(key);
    if (name == nullptr) runtime.fail("the attributes of a namespace have names");
    runtime.set(result, name->text, value);
  }
  return result;
}

Value raise_exception(Runtime& runtime, const Value&, const Arguments& arguments) {
  const Bound bound(runtime, "raise_exception", arguments, {"message"}, 1);
  // Jinja has no message of its own for none.
  runtime.raise(ErrorCode::kUsage, to_text(runtime, bound[0]));
}

// strftime_now(format), bound to the time it tells.
class FormatTime final : public Callable {
 public:
  explicit FormatTime(const std::tm& now) : now_(now) {}
  std::string_view type_name() const override { return "function"; }

  Value call(Runtime& runtime, const Arguments& arguments) const override {
    const Bound bound(runtime, "strftime_now", arguments, {"format"}, 1);
    std::string out;
    const std::string_view format = bound.text(0, "");
    for (size_t at = 0; at < format.size(); ++at) {
      if (format[at] == '%') {
        out += part(runtime, format, at);
      } else {
        out += format[at];
      }
    }
    return runtime.text(std::move(out));
  }

 private:
  // One conversion at format[at], which moves to its letter. "-" before it leaves padding away.
  std::string part(Runtime& runtime, std::string_view format, size_t& at) const {
    std::string one = "%";
    if (at + 1 < format.size() && format[at + 1] == '-') one += format[++at];
    const char letter = ++at < format.size() ? format[at] : '\0';
    constexpr std::string_view kLetters = "aAbBcCdDeFgGhHIjklmMnpPrRStTuUVwWxXyYzZ%";
    if (letter == '\0' || kLetters.find(letter) == kLetters.npos) {
      runtime.fail("strftime_now: unknown conversion in '{}'", format);
    }
    one += letter;
    char buffer[128];
    return std::string(buffer, std::strftime(buffer, sizeof(buffer), one.c_str(), &now_));
  }

  std::tm now_;
};

}  // namespace

const Callable* find_global(Runtime& runtime, std::string_view name, const std::tm& now) {
  const auto builtin = [&](Builtin::Function function) {
    return runtime.make<Builtin>(function, None{});
  };
  if (name == "range") return builtin(range);
  if (name == "dict") return builtin(dict);
  if (name == "namespace") return builtin(make_namespace);
  if (name == "raise_exception") return builtin(raise_exception);
  if (name == "strftime_now") return runtime.make<FormatTime>(now);
  return nullptr;
}

}  // namespace nibble::jinja
