// A template as a tree. Chains (a + b + c, a and b, elif) are lists, so that the tree is no deeper
// than the template's brackets and blocks.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "text/jinja/filters.h"
#include "text/jinja/operators.h"
#include "text/jinja/tests.h"
#include "text/jinja/value.h"

namespace nibble::jinja {

struct Expression;
using Expr = std::unique_ptr<Expression>;
struct Statement;
using Block = std::vector<std::unique_ptr<Statement>>;

// Expressions

struct Literal {
  Value value;
};
struct TextLiteral {
  String text;
};
struct Name {
  std::string name;
};
struct ListDisplay {
  std::vector<Expr> items;
  SequenceType type;  // list or tuple
};
struct DictDisplay {
  std::vector<std::pair<Expr, Expr>> entries;
};
struct ArithmeticChain {  // from left to right
  Expr first;
  std::vector<std::pair<Arithmetic, Expr>> rest;
};
struct Sign {
  bool negative;
  Expr operand;
};
struct ComparisonChain {  // a < b < c: all of them
  Expr first;
  std::vector<std::pair<Comparison, Expr>> rest;
};
struct LogicalChain {
  bool is_and;
  std::vector<Expr> operands;
};
struct Not {
  Expr operand;
};
struct Concatenation {
  std::vector<Expr> parts;
};
struct Conditional {
  Expr condition, then, otherwise;  // otherwise may be null
};
struct Attribute {
  Expr object;
  std::string name;
};
struct Element {
  Expr object, key;
};
struct Slice {
  Expr object, start, stop, step;  // all but the object may be null
};
struct CallArguments {
  std::vector<Expr> positional;
  std::vector<std::pair<std::string, Expr>> named;
  Expr more_positional, more_named;  // *args, **kwargs; may be null
};
struct Call {
  Expr function;
  CallArguments arguments;
};
struct FilterCall {
  Expr input;     // null: the text of a block
  Filter filter;  // null: unknown, an error when it is reached
  std::string name;
  CallArguments arguments;
};
struct TestCall {
  Expr input;
  Test test;  // null: unknown
  std::string name;
  CallArguments arguments;
  bool negated;
};

struct Expression {
  using Node = std::variant<Literal, TextLiteral, Name, ListDisplay, DictDisplay, ArithmeticChain,
                            Sign, ComparisonChain, LogicalChain, Not, Concatenation, Conditional,
                            Attribute, Element, Slice, Call, FilterCall, TestCall>;
  int line;
  int height;  // of the tree from here, 1 for a leaf
  Node node;
};

int height_below(const Expression::Node& node);  // of the highest part of the node; 0: it has none

// Statements

struct Target {  // what is assigned to
  int line;
  std::string name;
  std::string attribute;      // of a namespace; empty: the name itself
  std::vector<Target> items;  // of a tuple, which has no name
  bool is_tuple = false;
};
struct Parameter {
  std::string name;
  Expr fallback;  // may be null
};
struct Signature {
  std::vector<Parameter> parameters;
  bool takes_caller = false, takes_varargs = false, takes_kwargs = false;  // the body names them
};

struct Text {
  std::string text;
};
struct Print {
  Expr value;
};
struct If {
  std::vector<std::pair<Expr, Block>> branches;
  Block otherwise;
};
struct For {
  Target target;
  Expr items, condition;  // the condition may be null
  bool recursive;
  Block body, otherwise;
};
struct Assignment {
  Target target;
  Expr value;
};
struct BlockAssignment {
  Target target;
  Expr filter;  // applied to the text; null: none
  Block body;
};
struct MacroDefinition {
  std::string name;
  Signature signature;
  Block body;
};
struct CallBlock {
  Signature signature;  // of caller()
  Expr call;
  Block body;
};
struct FilterBlock {
  Expr filter;
  Block body;
};
struct With {
  std::vector<std::pair<Target, Expr>> assignments;
  Block body;
};
struct Generation {  // marks what assistants say; prints its body
  Block body;
};
struct Break {};
struct Continue {};

struct Statement {
  using Node = std::variant<Text, Print, If, For, Assignment, BlockAssignment, MacroDefinition,
                            CallBlock, FilterBlock, With, Generation, Break, Continue>;
  int line;
  Node node;
};

}  // namespace nibble::jinja
