// Runs a template's tree and collects what it prints.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "text/jinja/ast.h"
#include "text/jinja/callable.h"
#include "text/jinja/loop.h"
#include "text/jinja/runtime.h"
#include "text/jinja/scope.h"

namespace nibble::jinja {

class Macro;

class Interpreter {
 public:
  // `now`: what strftime_now tells. The runtime and the tree must outlive the interpreter.
  Interpreter(Runtime& runtime, const std::tm& now);

  // A variable that the template is given; `name` must outlive the interpreter.
  void set(std::string_view name, const Value& value) { given_->set(name, value); }
  std::string run(const Block& block);

 private:
  friend class Macro;
  enum class Flow { kNext, kBreak, kContinue };

  // Expressions: evaluate_expressions.cc
  Value evaluate(const Expr& expression);
  Value evaluate_or_none(const Expr& expression);  // of a part that may be missing
  Value value_of(const Literal& node);
  Value value_of(const TextLiteral& node);
  Value value_of(const Name& node);
  Value value_of(const ListDisplay& node);
  Value value_of(const DictDisplay& node);
  Value value_of(const ArithmeticChain& node);
  Value value_of(const Sign& node);
  Value value_of(const ComparisonChain& node);
  Value value_of(const LogicalChain& node);
  Value value_of(const Not& node);
  Value value_of(const Concatenation& node);
  Value value_of(const Conditional& node);
  Value value_of(const Attribute& node);
  Value value_of(const Element& node);
  Value value_of(const Slice& node);
  Value value_of(const Call& node);
  Value value_of(const FilterCall& node);
  Value value_of(const TestCall& node);
  Arguments arguments_of(const CallArguments& node);
  Value call(const Value& function, const Arguments& arguments);
  Value filtered(const Expr& filters, std::string text);  // of a block

  // Statements: interpreter.cc
  Flow run_block(const Block& block);
  Flow run_in(const ScopePointer& scope, const Block& block);
  Flow capture(const ScopePointer& scope, const Block& block, std::string& text);
  Flow run_one(const Text& node);
  Flow run_one(const Print& node);
  Flow run_one(const If& node);
  Flow run_one(const For& node);
  Flow run_one(const Assignment& node);
  Flow run_one(const BlockAssignment& node);
  Flow run_one(const MacroDefinition& node);
  Flow run_one(const CallBlock& node);
  Flow run_one(const FilterBlock& node);
  Flow run_one(const With& node);
  Flow run_one(const Generation& node);
  Flow run_one(const Break&) { return Flow::kBreak; }
  Flow run_one(const Continue&) { return Flow::kContinue; }
  void print(std::string_view text);
  void print(const Value& value);
  void assign(const Target& target, const Value& value);
  void check_namespaces(const Target& target);
  ScopePointer inner() const { return std::make_shared<Scope>(scope_); }

  // Loops and macros: run_loops.cc, macro.cc
  void run_loop(const For& node, const Value& items, int64_t depth0, ScopePointer outer);
  Loop* make_loop(const For& node, const Value& items, int64_t depth0, const ScopePointer& outer);
  bool passes(const For& node, const Value& item, const ScopePointer& outer);
  Value run_macro(const Macro& macro, const Arguments& arguments);

  Runtime& runtime_;
  std::tm now_;
  ScopePointer given_, scope_;
  std::string output_;
  Value block_text_;  // what the first filter of a block takes
};

}  // namespace nibble::jinja
