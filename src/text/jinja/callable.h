// What a template can call: macros, global functions, methods of values, a recursive loop.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace nibble::jinja {

struct Arguments {
  Values positional;
  std::vector<std::pair<std::string_view, Value>> named;
};

// The arguments of a call put to the parameters' names.
class Bound {
 public:
  // Errors: more arguments than parameters, an unknown name, one given twice, fewer than
  // `required`.
  Bound(Runtime& runtime, std::string_view function, const Arguments& arguments,
        std::initializer_list<std::string_view> parameters, size_t required = 0);

  bool has(size_t parameter) const { return given_[parameter]; }
  const Value& operator[](size_t parameter) const { return values_[parameter]; }  // none: not given
  Value value_or(size_t parameter, const Value& otherwise) const;
  // Of parameters that Python's code takes as a truth, an int, a text; not given or none:
  // otherwise.
  bool truth(size_t parameter, bool otherwise) const;
  int64_t integer(size_t parameter, int64_t otherwise) const;
  std::string_view text(size_t parameter, std::string_view otherwise) const;

 private:
  void take_named(const Arguments& arguments, std::initializer_list<std::string_view> parameters);

  Runtime& runtime_;
  std::string_view function_;
  std::vector<bool> given_;
  Values values_;
};

struct Callable : Object {
  virtual std::string_view type_name() const = 0;
  virtual Value call(Runtime& runtime, const Arguments& arguments) const = 0;
};

// A function written here, bound to the value whose method it is (none for global functions).
class Builtin final : public Callable {
 public:
  using Function = Value (*)(Runtime& runtime, const Value& self, const Arguments& arguments);

  Builtin(Function function, const Value& self) : function_(function), self_(self) {}
  std::string_view type_name() const override { return "builtin_function_or_method"; }
  Value call(Runtime& runtime, const Arguments& arguments) const override {
    return function_(runtime, self_, arguments);
  }

 private:
  Function function_;
  Value self_;
};

}  // namespace nibble::jinja
