#include "text/jinja/macro.h"

#include <algorithm>

namespace nibble::jinja {
namespace {

// Puts the arguments of a call to the names that the macro's body sees.
class Binding {
 public:
  Binding(Runtime& runtime, const Macro& macro, const Arguments& arguments, Scope& scope)
      : runtime_(runtime), macro_(macro), arguments_(arguments), scope_(scope) {}

  // Returns the parameters that were not given.
  std::vector<const Parameter*> bind() {
    std::vector<const Parameter*> missing;
    left_ = arguments_.named;
    const auto& parameters = macro_.signature().parameters;
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (i < arguments_.positional.size()) {
        scope_.set(parameters[i].name, arguments_.positional[i]);
      } else if (!take_named(parameters[i].name)) {
        missing.push_back(&parameters[i]);
      }
    }
    bind_caller();
    bind_named();
    bind_positional(parameters.size());
    return missing;
  }

 private:
  bool take_named(std::string_view name) {
    const auto found = std::find_if(left_.begin(), left_.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    if (found == left_.end()) return false;
    scope_.set(name, found->second);
    left_.erase(found);
    return true;
  }

  void bind_caller() {
    if (!macro_.signature().takes_caller || take_named("caller")) return;
    scope_.set("caller", runtime_.undefined("No caller defined"));
  }

  void bind_named() {
    if (macro_.signature().takes_kwargs) {
      Dict* dict = runtime_.dict();
      for (const auto& [name, value] : left_) {
        runtime_.set(dict, runtime_.text(std::string(name)), value);
      }
      scope_.set("kwargs", dict);
    } else if (!left_.empty()) {
      runtime_.fail("macro '{}' takes no keyword argument '{}'", macro_.name(), left_[0].first);
    }
  }

  void bind_positional(size_t taken) {
    const auto& given = arguments_.positional;
    if (macro_.signature().takes_varargs) {
      const auto first = given.begin() + static_cast<ptrdiff_t>(std::min(taken, given.size()));
      scope_.set("varargs", runtime_.sequence(SequenceType::kTuple, Values(first, given.end())));
    } else if (given.size() > taken) {
      runtime_.fail("macro '{}' takes not more than {} argument(s)", macro_.name(), taken);
    }
  }

  Runtime& runtime_;
  const Macro& macro_;
  const Arguments& arguments_;
  Scope& scope_;
  std::vector<std::pair<std::string_view, Value>> left_;
};

}  // namespace

Value Interpreter::run_macro(const Macro& macro, const Arguments& arguments) {
  const Runtime::Level level(runtime_);
  const ScopePointer scope = std::make_shared<Scope>(macro.scope());
  const auto missing = Binding(runtime_, macro, arguments, *scope).bind();
  const ScopePointer before = std::exchange(scope_, scope);
  for (const Parameter* parameter : missing) {
    scope->set(parameter->name, parameter->fallback != nullptr
                                    ? evaluate(parameter->fallback)
                                    : runtime_.undefined(fmt::format(
                                          "parameter '{}' was not provided", parameter->name)));
  }
  std::string text;
  capture(scope, macro.body(), text);
  scope_ = before;
  return runtime_.text(std::move(text));
}

}  // namespace nibble::jinja
