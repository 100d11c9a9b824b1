#include "text/jinja/expression_parser.h"

#include "text/jinja/print.h"

namespace nibble::jinja {

// Chains of attributes, calls and filters make a tree deep without nesting in the text.
Expr ExpressionParser::make(int line, Expression::Node node) {
  const int height = 1 + height_below(node);
  if (height > limits_.nesting) {
    tokens_.fail_at(line, "an expression of more than {} parts, each in the next", limits_.nesting);
  }
  return std::make_unique<Expression>(Expression{line, height, std::move(node)});
}

void ExpressionParser::enter() {
  if (++depth_ > limits_.nesting) {
    tokens_.fail_at(tokens_.line(), "nested deeper than {} levels", limits_.nesting);
  }
}

Expr ExpressionParser::parse_expression() { return parse_conditional(); }

bool ExpressionParser::ends_tuple(std::string_view end) const {
  return tokens_.is(TokenType::kPrintEnd) || tokens_.is(TokenType::kBlockEnd) ||
         tokens_.is_operator(")") || (!end.empty() && tokens_.is_name(end));
}

Expr ExpressionParser::parse_tuple(bool with_conditional, std::string_view end) {
  const int line = tokens_.line();
  ListDisplay tuple{{}, SequenceType::kTuple};
  bool is_tuple = false;
  while (!ends_tuple(end)) {
    tuple.items.push_back(with_conditional ? parse_expression() : parse_logical(false));
    if (!tokens_.skip_operator(",")) break;
    is_tuple = true;
  }
  if (is_tuple) return make(line, std::move(tuple));
  if (tuple.items.empty()) {
    tokens_.fail_at(tokens_.line(), "Expected an expression, got {}",
                    quote(describe(tokens_.current())));
  }
  return std::move(tuple.items.front());
}

// Unknown filters in a conditional are errors only when they are reached.
Expr ExpressionParser::parse_conditional() {
  const Level level(*this);
  const size_t known = unknown_.size();
  const int line = tokens_.line();
  Expr then = parse_logical(false);
  while (tokens_.skip_name("if")) {
    Expr condition = parse_logical(false);
    Expr otherwise = tokens_.skip_name("else") ? parse_conditional() : nullptr;
    then = make(line, Conditional{std::move(condition), std::move(then), std::move(otherwise)});
    unknown_.resize(known);
  }
  return then;
}

Expr ExpressionParser::parse_logical(bool is_and) {
  const auto operand = [&] { return is_and ? parse_not() : parse_logical(true); };
  const int line = tokens_.line();
  LogicalChain chain{is_and, {}};
  do {
    chain.operands.push_back(operand());
  } while (tokens_.skip_name(is_and ? "and" : "or"));
  if (chain.operands.size() == 1) return std::move(chain.operands.front());
  return make(line, std::move(chain));
}

Expr ExpressionParser::parse_not() {
  const int line = tokens_.line();
  if (!tokens_.skip_name("not")) return parse_comparison();
  const Level level(*this);
  return make(line, Not{parse_not()});
}

bool ExpressionParser::take_comparison(Comparison& comparison) {
  static constexpr std::pair<std::string_view, Comparison> kOperators[] = {
      {"==", Comparison::kEqual},  {"!=", Comparison::kNotEqual},
      {"<", Comparison::kLess},    {"<=", Comparison::kLessEqual},
      {">", Comparison::kGreater}, {">=", Comparison::kGreaterEqual}};
  for (const auto& [text, value] : kOperators) {
    if (!tokens_.skip_operator(text)) continue;
    comparison = value;
    return true;
  }
  const bool negated =
      tokens_.is_name("not") && TokenStream::matches(tokens_.ahead(), TokenType::kName, "in");
  if (negated) tokens_.take();
  comparison = negated ? Comparison::kNotIn : Comparison::kIn;
  return tokens_.skip_name("in");
}

Expr ExpressionParser::parse_comparison() {
  const int line = tokens_.line();
  ComparisonChain chain{parse_sum(), {}};
  for (Comparison comparison{}; take_comparison(comparison);) {
    chain.rest.emplace_back(comparison, parse_sum());
  }
  return chain.rest.empty() ? std::move(chain.first) : make(line, std::move(chain));
}

Expr ExpressionParser::parse_arithmetic(
    Expr (ExpressionParser::*operand)(),
    std::initializer_list<std::pair<std::string_view, Arithmetic>> operators) {
  const int line = tokens_.line();
  ArithmeticChain chain{(this->*operand)(), {}};
  for (bool more = true; more;) {
    more = false;
    for (const auto& [text, operation] : operators) {
      if (!tokens_.skip_operator(text)) continue;
      chain.rest.emplace_back(operation, (this->*operand)());
      more = true;
      break;
    }
  }
  return chain.rest.empty() ? std::move(chain.first) : make(line, std::move(chain));
}

Expr ExpressionParser::parse_sum() {
  return parse_arithmetic(&ExpressionParser::parse_concatenation,
                          {{"+", Arithmetic::kAdd}, {"-", Arithmetic::kSubtract}});
}

Expr ExpressionParser::parse_concatenation() {
  const int line = tokens_.line();
  Concatenation chain;
  do {
    chain.parts.push_back(parse_product());
  } while (tokens_.skip_operator("~"));
  return chain.parts.size() == 1 ? std::move(chain.parts.front()) : make(line, std::move(chain));
}

Expr ExpressionParser::parse_product() {
  return parse_arithmetic(&ExpressionParser::parse_power, {{"*", Arithmetic::kMultiply},
                                                           {"/", Arithmetic::kDivide},
                                                           {"//", Arithmetic::kFloorDivide},
                                                           {"%", Arithmetic::kModulo}});
}

Expr ExpressionParser::parse_power() {
  return parse_arithmetic(&ExpressionParser::parse_signed, {{"**", Arithmetic::kPower}});
}

Expr ExpressionParser::parse_unary(bool with_filters) {
  const int line = tokens_.line();
  const bool negative = tokens_.is_operator("-");
  Expr expression;
  if (negative || tokens_.is_operator("+")) {
    const Level level(*this);
    tokens_.take();
    expression = make(line, Sign{negative, parse_unary(false)});
  } else {
    expression = parse_primary();
  }
  expression = parse_postfix(std::move(expression));
  return with_filters ? parse_filters_and_tests(std::move(expression)) : std::move(expression);
}

Expr ExpressionParser::parse_primary() {
  const Token& token = tokens_.current();
  const int line = token.line;
  switch (token.type) {
    case TokenType::kName:
      return parse_name();
    case TokenType::kString:
      return parse_strings();
    case TokenType::kInteger:
      return make(line, Literal{tokens_.take().integer});
    case TokenType::kFloat:
      return make(line, Literal{tokens_.take().real});
    default:
      break;
  }
  if (tokens_.is_operator("[")) return parse_list();
  if (tokens_.is_operator("{")) return parse_dict();
  if (!tokens_.skip_operator("(")) {
    tokens_.fail_at(line, "unexpected {}", quote(describe(token)));
  }
  const Level level(*this);
  const bool empty = tokens_.is_operator(")");
  Expr inside = empty ? make(line, ListDisplay{{}, SequenceType::kTuple}) : parse_tuple(true);
  tokens_.expect_operator(")");
  return inside;
}

Expr ExpressionParser::parse_name() {
  Token token = tokens_.take();
  if (token.text == "true" || token.text == "True") return make(token.line, Literal{true});
  if (token.text == "false" || token.text == "False") return make(token.line, Literal{false});
  if (token.text == "none" || token.text == "None") return make(token.line, Literal{None{}});
  names_caller = names_caller || token.text == "caller";
  names_varargs = names_varargs || token.text == "varargs";
  names_kwargs = names_kwargs || token.text == "kwargs";
  return make(token.line, Name{std::move(token.text)});
}

Expr ExpressionParser::parse_strings() {  // one after another are one
  const int line = tokens_.line();
  std::string text;
  while (tokens_.is(TokenType::kString)) text += tokens_.take().text;
  return make(line, TextLiteral{String(std::move(text))});
}

Expr ExpressionParser::parse_list() {
  const Level level(*this);
  const int line = tokens_.take().line;
  ListDisplay list{{}, SequenceType::kList};
  while (!tokens_.is_operator("]")) {
    if (!list.items.empty()) tokens_.expect_operator(",");
    if (tokens_.is_operator("]")) break;
    list.items.push_back(parse_expression());
  }
  tokens_.expect_operator("]");
  return make(line, std::move(list));
}

Expr ExpressionParser::parse_dict() {
  const Level level(*this);
  const int line = tokens_.take().line;
  DictDisplay dict;
  while (!tokens_.is_operator("}")) {
    if (!dict.entries.empty()) tokens_.expect_operator(",");
    if (tokens_.is_operator("}")) break;
    Expr key = parse_expression();
    tokens_.expect_operator(":");
    dict.entries.emplace_back(std::move(key), parse_expression());
  }
  tokens_.expect_operator("}");
  return make(line, std::move(dict));
}

Expr ExpressionParser::parse_postfix(Expr expression) {
  for (;;) {
    if (tokens_.is_operator(".")) {
      expression = parse_attribute(std::move(expression));
    } else if (tokens_.is_operator("[")) {
      expression = parse_element(std::move(expression));
    } else if (tokens_.is_operator("(")) {
      expression = parse_call(std::move(expression));
    } else {
      return expression;
    }
  }
}

Expr ExpressionParser::parse_attribute(Expr object) {
  const int line = tokens_.take().line;
  const Token name = tokens_.take();
  if (name.type == TokenType::kName) return make(line, Attribute{std::move(object), name.text});
  if (name.type != TokenType::kInteger) tokens_.fail_at(name.line, "expected name or number");
  return make(line, Element{std::move(object), make(name.line, Literal{name.integer})});
}

Expr ExpressionParser::parse_element(Expr object) {
  const int line = tokens_.take().line;
  const auto ends = [&] { return tokens_.is_operator(":") || tokens_.is_operator("]"); };
  Expr start = ends() ? nullptr : parse_expression();
  if (start == nullptr && !tokens_.is_operator(":")) {
    tokens_.fail_at(line, "expected an index or a slice between [ and ]");
  }
  if (!tokens_.skip_operator(":")) {
    tokens_.expect_operator("]");
    return make(line, Element{std::move(object), std::move(start)});
  }
  Slice slice{std::move(object), std::move(start), nullptr, nullptr};
  if (!ends()) slice.stop = parse_expression();
  if (tokens_.skip_operator(":") && !ends()) slice.step = parse_expression();
  tokens_.expect_operator("]");
  return make(line, std::move(slice));
}

Expr ExpressionParser::parse_call(Expr function) {
  const int line = tokens_.line();
  return make(line, Call{std::move(function), parse_arguments()});
}

CallArguments ExpressionParser::parse_arguments() {
  const Level level(*this);
  const int line = tokens_.line();
  tokens_.expect_operator("(");
  CallArguments arguments;
  for (bool first = true; !tokens_.is_operator(")"); first = false) {
    if (!first) tokens_.expect_operator(",");
    if (tokens_.is_operator(")")) break;
    parse_argument(arguments, line);
  }
  tokens_.expect_operator(")");
  return arguments;
}

void ExpressionParser::parse_argument(CallArguments& arguments, int line) {
  const auto check = [&](bool order) {
    if (!order) tokens_.fail_at(line, "invalid syntax for function call expression");
  };
  const bool starred = arguments.more_positional != nullptr || arguments.more_named != nullptr;
  if (tokens_.skip_operator("*")) {
    check(!starred);
    arguments.more_positional = parse_expression();
  } else if (tokens_.skip_operator("**")) {
    check(arguments.more_named == nullptr);
    arguments.more_named = parse_expression();
  } else if (tokens_.is(TokenType::kName) &&
             TokenStream::matches(tokens_.ahead(), TokenType::kOperator, "=")) {
    check(arguments.more_named == nullptr);
    std::string name = tokens_.take().text;
    tokens_.take();
    arguments.named.emplace_back(std::move(name), parse_expression());
  } else {
    check(!starred && arguments.named.empty());
    arguments.positional.push_back(parse_expression());
  }
}

Expr ExpressionParser::parse_filters_and_tests(Expr expression) {
  for (;;) {
    if (tokens_.is_operator("|")) {
      tokens_.take();
      expression = parse_filter(std::move(expression));
    } else if (tokens_.is_name("is")) {
      expression = parse_test(std::move(expression));
    } else if (tokens_.is_operator("(")) {
      expression = parse_call(std::move(expression));
    } else {
      return expression;
    }
  }
}

Expr ExpressionParser::parse_filters(Expr input) {
  while (tokens_.skip_operator("|")) input = parse_filter(std::move(input));
  return input;
}

std::string ExpressionParser::parse_dotted_name() {
  std::string name = tokens_.expect(TokenType::kName).text;
  while (tokens_.skip_operator(".")) name += "." + tokens_.expect(TokenType::kName).text;
  return name;
}

Expr ExpressionParser::parse_filter(Expr input) {
  const int line = tokens_.line();
  std::string name = parse_dotted_name();
  const Filter filter = find_filter(name);
  if (filter == nullptr && !soft)
    unknown_.push_back({line, fmt::format("No filter named '{}'.", name)});
  CallArguments arguments = tokens_.is_operator("(") ? parse_arguments() : CallArguments{};
  return make(line, FilterCall{std::move(input), filter, std::move(name), std::move(arguments)});
}

// A test takes arguments in brackets, or one without them.
bool ExpressionParser::starts_test_argument() const {
  if (tokens_.is(TokenType::kName)) {
    return !tokens_.is_name("else") && !tokens_.is_name("or") && !tokens_.is_name("and");
  }
  return tokens_.is(TokenType::kString) || tokens_.is(TokenType::kInteger) ||
         tokens_.is(TokenType::kFloat) || tokens_.is_operator("[") || tokens_.is_operator("{");
}

CallArguments ExpressionParser::parse_test_arguments() {
  CallArguments arguments;
  if (tokens_.is_operator("(")) return parse_arguments();
  if (!starts_test_argument()) return arguments;
  if (tokens_.is_name("is")) {
    tokens_.fail_at(tokens_.line(), "You cannot chain multiple tests with is");
  }
  arguments.positional.push_back(parse_postfix(parse_primary()));
  return arguments;
}

Expr ExpressionParser::parse_test(Expr input) {
  const int line = tokens_.take().line;
  const bool negated = tokens_.skip_name("not");
  std::string name = parse_dotted_name();
  const Test test = find_test(name);
  if (test == nullptr && !soft)
    unknown_.push_back({line, fmt::format("No test named '{}'.", name)});
  CallArguments arguments = parse_test_arguments();
  return make(line,
              TestCall{std::move(input), test, std::move(name), std::move(arguments), negated});
}

}  // namespace nibble::jinja
