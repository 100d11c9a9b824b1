#include "text/jinja/interpreter.h"

#include "text/jinja/access.h"
#include "text/jinja/macro.h"
#include "text/jinja/print.h"

namespace nibble::jinja {

Interpreter::Interpreter(Runtime& runtime, const std::tm& now)
    : runtime_(runtime),
      now_(now),
      given_(std::make_shared<Scope>(nullptr)),
      scope_(std::make_shared<Scope>(given_)) {}

std::string Interpreter::run(const Block& block) {
  run_block(block);
  return std::move(output_);
}

Interpreter::Flow Interpreter::run_block(const Block& block) {
  const Runtime::Level level(runtime_);
  for (const auto& statement : block) {
    runtime_.charge(1);
    runtime_.at(statement->line);
    const Flow flow =
        std::visit([this](const auto& node) { return run_one(node); }, statement->node);
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Interpreter::Flow Interpreter::run_in(const ScopePointer& scope, const Block& block) {
  const ScopePointer before = std::exchange(scope_, scope);
  const Flow flow = run_block(block);
  scope_ = before;
  return flow;
}

Interpreter::Flow Interpreter::capture(const ScopePointer& scope, const Block& block,
                                       std::string& text) {
  std::string before = std::exchange(output_, "");
  const Flow flow = run_in(scope, block);
  text = std::exchange(output_, std::move(before));
  return flow;
}

void Interpreter::print(std::string_view text) {
  runtime_.charge(text.size() / 64);
  if (text.size() > runtime_.limits().output_bytes - output_.size()) {
    runtime_.fail("the template prints more than {} MiB", runtime_.limits().output_bytes >> 20);
  }
  output_ += text;
}

void Interpreter::print(const Value& value) {
  if (const String* text = get_text(value)) return print(text->text);
  print(std::string_view(to_text(runtime_, value)));
}

Interpreter::Flow Interpreter::run_one(const Text& node) {
  print(std::string_view(node.text));
  return Flow::kNext;
}

Interpreter::Flow Interpreter::run_one(const Print& node) {
  print(evaluate(node.value));
  return Flow::kNext;
}

Interpreter::Flow Interpreter::run_one(const If& node) {
  for (const auto& [condition, body] : node.branches) {
    if (is_true(evaluate(condition))) return run_block(body);
  }
  return run_block(node.otherwise);
}

// Only namespaces take attributes, and that is checked before the value is evaluated.
void Interpreter::check_namespaces(const Target& target) {
  for (const Target& item : target.items) check_namespaces(item);
  if (target.attribute.empty()) return;
  const Value* found = scope_->find(target.name);
  if (found == nullptr || !std::holds_alternative<Namespace*>(*found)) {
    runtime_.fail("cannot assign attribute on non-namespace object");
  }
}

void Interpreter::assign(const Target& target, const Value& value) {
  if (!target.is_tuple) {
    if (target.attribute.empty()) {
      scope_->set(target.name, value);
    } else {
      runtime_.set(std::get<Namespace*>(*scope_->find(target.name)), target.attribute, value);
    }
    return;
  }
  if (!is_iterable(value)) {
    runtime_.fail("cannot unpack non-iterable {} object", type_name(value));
  }
  const Values items = iterate(runtime_, value);
  if (items.size() < target.items.size()) {
    runtime_.fail("not enough values to unpack (expected {}, got {})", target.items.size(),
                  items.size());
  }
  if (items.size() > target.items.size()) {
    runtime_.fail("too many values to unpack (expected {})", target.items.size());
  }
  for (size_t i = 0; i < items.size(); ++i) assign(target.items[i], items[i]);
}

Interpreter::Flow Interpreter::run_one(const Assignment& node) {
  check_namespaces(node.target);
  const int line = runtime_.line();
  const Value value = evaluate(node.value);
  runtime_.at(line);
  assign(node.target, value);
  return Flow::kNext;
}

Interpreter::Flow Interpreter::run_one(const BlockAssignment& node) {
  check_namespaces(node.target);
  std::string text;
  const Flow flow = capture(inner(), node.body, text);
  if (flow == Flow::kNext) assign(node.target, filtered(node.filter, std::move(text)));
  return flow;
}

Interpreter::Flow Interpreter::run_one(const FilterBlock& node) {
  std::string text;
  const Flow flow = capture(inner(), node.body, text);
  if (flow == Flow::kNext) print(filtered(node.filter, std::move(text)));
  return flow;
}

Interpreter::Flow Interpreter::run_one(const With& node) {
  const ScopePointer scope = inner();
  const ScopePointer outer = scope_;
  for (const auto& [target, expression] : node.assignments) {
    const Value value = evaluate(expression);  // of the outside
    scope_ = scope;
    assign(target, value);
    scope_ = outer;
  }
  return run_in(scope, node.body);
}

Interpreter::Flow Interpreter::run_one(const Generation& node) {
  std::string text;
  capture(inner(), node.body, text);
  print(std::string_view(text));
  return Flow::kNext;
}

Interpreter::Flow Interpreter::run_one(const MacroDefinition& node) {
  scope_->set(node.name, runtime_.make<Macro>(*this, node.name, node.signature, node.body, scope_));
  return Flow::kNext;
}

Interpreter::Flow Interpreter::run_one(const CallBlock& node) {
  const Call& target = std::get<Call>(node.call->node);
  const Callable* caller = runtime_.make<Macro>(*this, "caller", node.signature, node.body, scope_);
  const Value function = evaluate(target.function);
  Arguments arguments = arguments_of(target.arguments);
  arguments.named.emplace_back("caller", caller);
  print(call(function, arguments));
  return Flow::kNext;
}

}  // namespace nibble::jinja
