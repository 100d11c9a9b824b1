#include "text/jinja/ast.h"

#include <algorithm>

namespace nibble::jinja {
namespace {

// The highest of some parts of a node.
class Highest {
 public:
  void look(const Expr& part) {
    if (part != nullptr) height_ = std::max(height_, part->height);
  }
  void look(const std::vector<Expr>& parts) {
    for (const Expr& part : parts) look(part);
  }
  void look(const CallArguments& arguments) {
    look(arguments.positional);
    for (const auto& [name, value] : arguments.named) look(value);
    look(arguments.more_positional);
    look(arguments.more_named);
  }
  int height() const { return height_; }

  void operator()(const Literal&) {}
  void operator()(const TextLiteral&) {}
  void operator()(const Name&) {}
  void operator()(const ListDisplay& node) { look(node.items); }
  void operator()(const DictDisplay& node) {
    for (const auto& [key, value] : node.entries) {
      look(key);
      look(value);
    }
  }
  void operator()(const ArithmeticChain& node) { look_chain(node); }
  void operator()(const Sign& node) { look(node.operand); }
  void operator()(const ComparisonChain& node) { look_chain(node); }
  void operator()(const LogicalChain& node) { look(node.operands); }
  void operator()(const Not& node) { look(node.operand); }
  void operator()(const Concatenation& node) { look(node.parts); }
  void operator()(const Conditional& node) {
    look(node.condition);
    look(node.then);
    look(node.otherwise);
  }
  void operator()(const Attribute& node) { look(node.object); }
  void operator()(const Element& node) {
    look(node.object);
    look(node.key);
  }
  void operator()(const Slice& node) {
    look(node.object);
    look(node.start);
    look(node.stop);
    look(node.step);
  }
  void operator()(const Call& node) {
    look(node.function);
    look(node.arguments);
  }
  void operator()(const FilterCall& node) {
    look(node.input);
    look(node.arguments);
  }
  void operator()(const TestCall& node) {
    look(node.input);
    look(node.arguments);
  }

 private:
  template <class Chain>
  void look_chain(const Chain& chain) {
    look(chain.first);
    for (const auto& [operation, operand] : chain.rest) look(operand);
  }

  int height_ = 0;
};

}  // namespace

int height_below(const Expression::Node& node) {
  Highest highest;
  std::visit([&](const auto& part) { highest(part); }, node);
  return highest.height();
}

}  // namespace nibble::jinja
