#include "text/jinja/access.h"
#include "text/jinja/globals.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"

namespace nibble::jinja {

Value Interpreter::evaluate(const Expr& expression) {
  const Runtime::Level level(runtime_);
  runtime_.at(expression->line);
  return std::visit([this](const auto& node) { return value_of(node); }, expression->node);
}

Value Interpreter::evaluate_or_none(const Expr& expression) {
  return expression == nullptr ? Value(None{}) : evaluate(expression);
}

Value Interpreter::value_of(const Literal& node) { return node.value; }

Value Interpreter::value_of(const TextLiteral& node) { return &node.text; }

Value Interpreter::value_of(const Name& node) {
  if (const Value* value = scope_->find(node.name)) return *value;
  if (const Callable* function = find_global(runtime_, node.name, now_)) return function;
  return runtime_.undefined(fmt::format("'{}' is undefined", node.name));
}

Value Interpreter::value_of(const ListDisplay& node) {
  Values items;
  items.reserve(node.items.size());
  for (const Expr& item : node.items) items.push_back(evaluate(item));
  return runtime_.sequence(node.type, std::move(items));
}

Value Interpreter::value_of(const DictDisplay& node) {
  Dict* dict = runtime_.dict();
  for (const auto& [key, value] : node.entries) {
    const Value name = evaluate(key);
    runtime_.set(dict, name, evaluate(value));
  }
  return dict;
}

Value Interpreter::value_of(const ArithmeticChain& node) {
  Value result = evaluate(node.first);
  for (const auto& [operation, operand] : node.rest) {
    result = arithmetic(runtime_, operation, result, evaluate(operand));
  }
  return result;
}

Value Interpreter::value_of(const Sign& node) {
  const Value operand = evaluate(node.operand);
  return node.negative ? negate(runtime_, operand) : plus(runtime_, operand);
}

Value Interpreter::value_of(const ComparisonChain& node) {
  Value left = evaluate(node.first);
  for (const auto& [comparison, operand] : node.rest) {
    const Value right = evaluate(operand);
    if (!compare(runtime_, comparison, left, right)) return false;
    left = right;
  }
  return true;
}

// The operand that decides.
Value Interpreter::value_of(const LogicalChain& node) {
  Value result;
  for (const Expr& operand : node.operands) {
    result = evaluate(operand);
    if (is_true(result) != node.is_and) break;
  }
  return result;
}

Value Interpreter::value_of(const Not& node) { return !is_true(evaluate(node.operand)); }

Value Interpreter::value_of(const Concatenation& node) {
  std::string text;
  for (const Expr& part : node.parts) text += to_text(runtime_, evaluate(part));
  return runtime_.text(std::move(text));
}

Value Interpreter::value_of(const Conditional& node) {
  const int line = runtime_.line();
  if (is_true(evaluate(node.condition))) return evaluate(node.then);
  if (node.otherwise != nullptr) return evaluate(node.otherwise);
  return runtime_.undefined(fmt::format(
      "the inline if-expression on line {} evaluated to false and no else section was defined.",
      line));
}

Value Interpreter::value_of(const Attribute& node) {
  return attribute(runtime_, evaluate(node.object), node.name);
}

Value Interpreter::value_of(const Element& node) {
  const Value object = evaluate(node.object);
  return element(runtime_, object, evaluate(node.key));
}

Value Interpreter::value_of(const Slice& node) {
  const Value object = evaluate(node.object);
  const Value start = evaluate_or_none(node.start);
  const Value stop = evaluate_or_none(node.stop);
  return slice(runtime_, object, start, stop, evaluate_or_none(node.step));
}

Arguments Interpreter::arguments_of(const CallArguments& node) {
  Arguments arguments;
  for (const Expr& value : node.positional) arguments.positional.push_back(evaluate(value));
  for (const auto& [name, value] : node.named) arguments.named.emplace_back(name, evaluate(value));
  if (node.more_positional != nullptr) {
    const Values more = iterate(runtime_, evaluate(node.more_positional));
    arguments.positional.insert(arguments.positional.end(), more.begin(), more.end());
  }
  if (node.more_named != nullptr) {
    const Value more = evaluate(node.more_named);
    if (as<Dict>(more) == nullptr) runtime_.fail("argument after ** must be a mapping");
    for (const auto& [name, value] : as<Dict>(more)->entries()) {
      if (get_text(name) == nullptr) runtime_.fail("keywords must be strings");
      runtime_.charge(1);
      arguments.named.emplace_back(get_text(name)->text, value);
    }
  }
  return arguments;
}

Value Interpreter::call(const Value& function, const Arguments& arguments) {
  if (const Callable* callable = as<Callable>(function)) {
    return callable->call(runtime_, arguments);
  }
  if (auto* const* loop = std::get_if<Loop*>(&function)) {
    const Bound bound(runtime_, "loop", arguments, {"iterable"}, 1);
    if (!(*loop)->recurse()) {
      runtime_.fail("The loop must have the 'recursive' marker to be called recursively.");
    }
    return (*loop)->recurse()(bound[0], (*loop)->depth0() + 1);
  }
  if (const Undefined* undefined = as<Undefined>(function)) {
    runtime_.fail("{}", undefined->message);
  }
  runtime_.fail("'{}' object is not callable", type_name(function));
}

Value Interpreter::value_of(const Call& node) {
  const int line = runtime_.line();
  const Value function = evaluate(node.function);
  const Arguments arguments = arguments_of(node.arguments);
  runtime_.at(line);
  return call(function, arguments);
}

Value Interpreter::value_of(const FilterCall& node) {
  const int line = runtime_.line();
  const Value input = node.input == nullptr ? block_text_ : evaluate(node.input);
  const Arguments arguments = arguments_of(node.arguments);
  runtime_.at(line);
  if (node.filter == nullptr) runtime_.fail("No filter named '{}' found.", node.name);
  return node.filter(runtime_, input, arguments);
}

Value Interpreter::value_of(const TestCall& node) {
  const int line = runtime_.line();
  const Value input = evaluate(node.input);
  const Arguments arguments = arguments_of(node.arguments);
  runtime_.at(line);
  if (node.test == nullptr) runtime_.fail("No test named '{}' found.", node.name);
  return node.test(runtime_, input, arguments) != node.negated;
}

Value Interpreter::filtered(const Expr& filters, std::string text) {
  block_text_ = runtime_.text(std::move(text));
  return filters == nullptr ? block_text_ : evaluate(filters);
}

}  // namespace nibble::jinja
