#include "text/jinja/callable.h"

#include <algorithm>

namespace nibble::jinja {

Bound::Bound(Runtime& runtime, std::string_view function, const Arguments& arguments,
             std::initializer_list<std::string_view> parameters, size_t required)
    : runtime_(runtime),
      function_(function),
      given_(parameters.size()),
      values_(parameters.size()) {
  if (arguments.positional.size() > parameters.size()) {
    runtime.fail("{}() takes at most {} arguments, not {}", function, parameters.size(),
                 arguments.positional.size());
  }
  std::fill(values_.begin(), values_.end(), Value(None{}));
  std::copy(arguments.positional.begin(), arguments.positional.end(), values_.begin());
  std::fill_n(given_.begin(), arguments.positional.size(), true);
  take_named(arguments, parameters);
  for (size_t i = 0; i < required; ++i) {
    if (!given_[i]) {
      runtime.fail("{}() misses its argument '{}'", function, parameters.begin()[i]);
    }
  }
}

void Bound::take_named(const Arguments& arguments,
                       std::initializer_list<std::string_view> parameters) {
  for (const auto& [name, value] : arguments.named) {
    const auto found = std::find(parameters.begin(), parameters.end(), name);
    if (found == parameters.end()) {
      runtime_.fail("{}() got an unexpected keyword argument '{}'", function_, name);
    }
    const auto at = static_cast<size_t>(found - parameters.begin());
    if (given_[at]) {
      runtime_.fail("{}() got multiple values for argument '{}'", function_, name);
    }
    given_[at] = true;
    values_[at] = value;
  }
}

Value Bound::value_or(size_t parameter, const Value& otherwise) const {
  return given_[parameter] ? values_[parameter] : otherwise;
}

bool Bound::truth(size_t parameter, bool otherwise) const {
  return given_[parameter] ? is_true(values_[parameter]) : otherwise;
}

int64_t Bound::integer(size_t parameter, int64_t otherwise) const {
  if (is_none(values_[parameter])) return otherwise;
  int64_t result = 0;
  if (!to_int(values_[parameter], result)) {
    runtime_.fail("{}(): '{}' object cannot be interpreted as an integer", function_,
                  jinja::type_name(values_[parameter]));
  }
  return result;
}

std::string_view Bound::text(size_t parameter, std::string_view otherwise) const {
  if (is_none(values_[parameter])) return otherwise;
  const String* text = get_text(values_[parameter]);
  if (text == nullptr) {
    runtime_.fail("{}() takes a string, not '{}'", function_, jinja::type_name(values_[parameter]));
  }
  return text->text;
}

}  // namespace nibble::jinja
