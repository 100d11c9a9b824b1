// The part of the parser for expressions, from the loosest operator to the tightest.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/ast.h"
#include "text/jinja/limits.h"
#include "text/jinja/token_stream.h"

namespace nibble::jinja {

class ExpressionParser {
 public:
  ExpressionParser(TokenStream& tokens, const Limits& limits) : tokens_(tokens), limits_(limits) {}

  Expr parse_expression();  // with a conditional: a if b else c
  // What `for` and `if` take: several with commas are a tuple. `end`: a name that ends it.
  Expr parse_tuple(bool with_conditional, std::string_view end = "");
  Expr parse_filters(Expr input);  // | name(arguments) | ...
  Expr parse_filter(Expr input);   // name(arguments)

  // Filters and tests that there are none of. Where it is open whether they are reached (in a
  // conditional, or when `soft` is set) they become errors when they are.
  struct Unknown {
    int line;
    std::string message;
  };
  const std::vector<Unknown>& unknown() const { return unknown_; }
  bool soft = false;

  // Names that expressions read so far had: macros that use them take more arguments.
  bool names_caller = false, names_varargs = false, names_kwargs = false;

  // One level deeper as long as it lives.
  class Level {
   public:
    explicit Level(ExpressionParser& parser) : parser_(parser) { parser_.enter(); }
    ~Level() { --parser_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    ExpressionParser& parser_;
  };

 private:
  void enter();
  Expr make(int line, Expression::Node node);
  Expr parse_conditional();
  Expr parse_logical(bool is_and);
  Expr parse_not();
  Expr parse_comparison();
  bool take_comparison(Comparison& comparison);
  Expr parse_sum();
  Expr parse_concatenation();
  Expr parse_product();
  Expr parse_power();
  Expr parse_arithmetic(Expr (ExpressionParser::*operand)(),
                        std::initializer_list<std::pair<std::string_view, Arithmetic>> operators);
  Expr parse_signed() { return parse_unary(true); }
  Expr parse_unary(bool with_filters);
  Expr parse_primary();
  Expr parse_name();
  Expr parse_strings();
  Expr parse_list();
  Expr parse_dict();
  Expr parse_postfix(Expr expression);
  Expr parse_attribute(Expr object);
  Expr parse_element(Expr object);
  Expr parse_call(Expr function);
  CallArguments parse_arguments();
  void parse_argument(CallArguments& arguments, int line);
  Expr parse_filters_and_tests(Expr expression);
  Expr parse_test(Expr input);
  CallArguments parse_test_arguments();
  bool starts_test_argument() const;
  std::string parse_dotted_name();
  bool ends_tuple(std::string_view end) const;

  TokenStream& tokens_;
  const Limits& limits_;
  int depth_ = 0;
  std::vector<Unknown> unknown_;
};

}  // namespace nibble::jinja
