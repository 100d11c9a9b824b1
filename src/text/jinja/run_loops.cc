// The for loops of the interpreter.
#include "text/jinja/access.h"
#include "text/jinja/interpreter.h"

namespace nibble::jinja {

// The condition of a loop sees the loop's variables and what is outside.
bool Interpreter::passes(const For& node, const Value& item, const ScopePointer& outer) {
  const ScopePointer before = std::exchange(scope_, std::make_shared<Scope>(outer));
  assign(node.target, item);
  const bool result = is_true(evaluate(node.condition));
  scope_ = before;
  return result;
}

Loop* Interpreter::make_loop(const For& node, const Value& items, int64_t depth0,
                             const ScopePointer& outer) {
  Values source = iterate(runtime_, items);
  std::optional<size_t> length;
  if (node.condition == nullptr) length = source.size();
  Loop::Next next = [this, &node, outer, source = std::move(source),
                     at = size_t{0}]() mutable -> std::optional<Value> {
    while (at < source.size()) {
      const Value item = source[at++];
      if (node.condition == nullptr || passes(node, item, outer)) return item;
    }
    return std::nullopt;
  };
  Loop::Recurse recurse;
  if (node.recursive) {
    recurse = [this, &node, outer](const Value& inner_items, int64_t inner_depth0) -> Value {
      const Runtime::Level level(runtime_);
      std::string before = std::exchange(output_, "");
      run_loop(node, inner_items, inner_depth0, outer);
      return runtime_.text(std::exchange(output_, std::move(before)));
    };
  }
  return runtime_.make<Loop>(std::move(next), length, std::move(recurse), depth0);
}

void Interpreter::run_loop(const For& node, const Value& items, int64_t depth0,
                           ScopePointer outer) {
  const ScopePointer before = scope_;
  Loop* loop = make_loop(node, items, depth0, outer);
  bool completed = false;  // Jinja runs `else` unless one turn came to its end
  for (Flow flow = Flow::kNext; flow != Flow::kBreak && loop->advance();) {
    runtime_.charge(1);
    scope_ = std::make_shared<Scope>(outer);
    assign(node.target, loop->item());
    scope_->set("loop", loop);
    flow = run_block(node.body);
    completed = completed || flow == Flow::kNext;
  }
  if (!completed) run_in(std::make_shared<Scope>(outer), node.otherwise);
  scope_ = before;
}

Interpreter::Flow Interpreter::run_one(const For& node) {
  const Value items = evaluate(node.items);
  run_loop(node, items, 0, scope_);
  return Flow::kNext;
}

}  // namespace nibble::jinja
