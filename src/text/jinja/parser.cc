#include "text/jinja/parser.h"

#include <algorithm>
#include <iterator>

#include "text/jinja/expression_parser.h"
#include "text/jinja/print.h"
#include "text/jinja/token_stream.h"

namespace nibble::jinja {
namespace {

using Names = std::vector<std::string_view>;

// Statements of Jinja that no chat template has a use for: they read other files, or escape HTML.
constexpr std::string_view kUnsupported[] = {"extends", "block",      "include", "import",
                                             "from",    "autoescape", "print"};

class Parser {
 public:
  Parser(std::string_view source, std::string_view origin, const Limits& limits)
      : tokens_(tokenize(source, origin, limits), origin), expressions_(tokens_, limits) {}

  Block run() {
    Block block = parse_body({});
    const auto& unknown = expressions_.unknown();
    if (!unknown.empty()) tokens_.fail_at(unknown[0].line, "{}", unknown[0].message);
    return block;
  }

 private:
  void add(Block& block, int line, Statement::Node node) {
    block.push_back(std::make_unique<Statement>(Statement{line, std::move(node)}));
  }

  // Statements up to a tag of one of these names, which becomes the current token; without names up
  // to the end of the template.
  Block parse_body(const Names& ends) {
    const ExpressionParser::Level level(expressions_);
    Block block;
    ends_.push_back(ends);
    for (;;) {
      const int line = tokens_.line();
      if (tokens_.is(TokenType::kText)) {
        add(block, line, Text{tokens_.take().text});
      } else if (tokens_.is(TokenType::kPrintBegin)) {
        tokens_.take();
        add(block, line, Print{expressions_.parse_tuple(true)});
        tokens_.expect(TokenType::kPrintEnd);
      } else if (tokens_.is(TokenType::kBlockBegin)) {
        tokens_.take();
        if (is_one_of(ends)) break;
        parse_statement(block);
        tokens_.expect(TokenType::kBlockEnd);
      } else {
        if (!ends.empty()) fail_unclosed("Unexpected end of template.", "");
        break;
      }
    }
    ends_.pop_back();
    return block;
  }

  bool is_one_of(const Names& names) const {
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view name) { return tokens_.is_name(name); });
  }

  // The rest of a tag, what follows, and the tag that ends it.
  Block parse_block(const Names& ends) {
    tokens_.skip_operator(":");
    tokens_.expect(TokenType::kBlockEnd);
    return parse_body(ends);
  }
  Block parse_block_to(std::string_view end) {
    Block block = parse_block({end});
    tokens_.take();
    return block;
  }

  // In a body that runs in a scope of its own, unknown filters are errors at once, and no loop of
  // the outside can be left from a macro.
  class Inside {
   public:
    Inside(Parser& parser, bool soft, bool in_loop)
        : parser_(parser), soft_(parser.expressions_.soft), in_loop_(parser.in_loop_) {
      parser_.expressions_.soft = soft;
      parser_.in_loop_ = in_loop;
    }
    ~Inside() {
      parser_.expressions_.soft = soft_;
      parser_.in_loop_ = in_loop_;
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    Parser& parser_;
    bool soft_, in_loop_;
  };

  void parse_statement(Block& block) {
    if (!tokens_.is(TokenType::kName)) tokens_.fail_at(tokens_.line(), "tag name expected");
    const Token tag = tokens_.take();
    tags_.push_back(tag.text);
    const auto found = std::find_if(std::begin(kStatements), std::end(kStatements),
                                    [&](const Row& row) { return row.name == tag.text; });
    if (found == std::end(kStatements)) fail_unknown(tag);
    Statement::Node node = (this->*found->parse)(tag);
    tags_.pop_back();
    add(block, tag.line, std::move(node));
  }

  [[noreturn]] void fail_unknown(const Token& tag) {
    tags_.pop_back();
    if (std::find(std::begin(kUnsupported), std::end(kUnsupported), tag.text) !=
        std::end(kUnsupported)) {
      tokens_.fail_at(tag.line, "the statement '{}' is not supported in chat templates", tag.text);
    }
    fail_unclosed(fmt::format("Encountered unknown tag {}.", quote(tag.text)), tag.text);
  }

  // Jinja's explanation of what is open.
  [[noreturn]] void fail_unclosed(std::string message, std::string_view name) const {
    std::string looking;
    for (const std::string_view end : ends_.back()) {
      looking += (looking.empty() ? "" : " or ") + quote(end);
    }
    const bool misplaced = std::any_of(ends_.begin(), ends_.end(), [&](const Names& names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    });
    if (!looking.empty() && misplaced) {
      message +=
          " You probably made a nesting mistake. Jinja is expecting this tag, but currently "
          "looking for " +
          looking + ".";
    } else if (!looking.empty()) {
      message += " Jinja was looking for the following tags: " + looking + ".";
    }
    if (!tags_.empty()) {
      message += " The innermost block that needs to be closed is " + quote(tags_.back()) + ".";
    }
    tokens_.fail_at(tokens_.line(), "{}", message);
  }

  // Targets

  Target parse_target(bool with_attributes, std::string_view end = "") {
    const int line = tokens_.line();
    std::vector<Target> items;
    bool is_tuple = false;
    while (items.empty() || !ends_target(end)) {
      items.push_back(parse_one_target(with_attributes));
      if (!tokens_.skip_operator(",")) break;
      is_tuple = true;
    }
    if (!is_tuple) return std::move(items.front());
    return Target{line, "", "", std::move(items), true};
  }

  bool ends_target(std::string_view end) const {
    return tokens_.is(TokenType::kBlockEnd) || tokens_.is_operator(")") ||
           tokens_.is_operator("=") || (!end.empty() && tokens_.is_name(end));
  }

  Target parse_one_target(bool with_attributes) {
    const int line = tokens_.line();
    if (tokens_.skip_operator("(")) {
      const ExpressionParser::Level level(expressions_);
      Target inside = parse_target(with_attributes);
      tokens_.expect_operator(")");
      return inside;
    }
    if (!tokens_.is(TokenType::kName)) {
      if (tokens_.is(TokenType::kString) || tokens_.is(TokenType::kInteger) ||
          tokens_.is(TokenType::kFloat)) {
        tokens_.fail_at(line, "can't assign to 'const'");
      }
      tokens_.fail_at(line, "expected a name to assign to, got {}",
                      quote(describe(tokens_.current())));
    }
    Target target{line, parse_assigned_name(), "", {}, false};
    if (with_attributes && tokens_.skip_operator(".")) {
      target.attribute = tokens_.expect(TokenType::kName).text;
    }
    return target;
  }

  std::string parse_assigned_name() {
    const Token token = tokens_.expect(TokenType::kName);
    for (const std::string_view constant : {"true", "True", "false", "False", "none", "None"}) {
      if (token.text == constant) tokens_.fail_at(token.line, "can't assign to 'const'");
    }
    if (token.text == "loop" && loops_ > 0) {
      tokens_.fail_at(token.line, "Can't assign to special loop variable in for-loop target");
    }
    return token.text;
  }

  // Statements

  Statement::Node parse_set(const Token&) {
    Target target = parse_target(true);
    if (tokens_.skip_operator("=")) {
      return Assignment{std::move(target), expressions_.parse_tuple(true)};
    }
    Expr filter = expressions_.parse_filters(nullptr);
    const Inside inside(*this, false, in_loop_);
    return BlockAssignment{std::move(target), std::move(filter), parse_block_to("endset")};
  }

  Statement::Node parse_for(const Token&) {
    ++loops_;
    Target target = parse_target(false, "in");
    --loops_;
    tokens_.expect_name("in");
    For loop{
        std::move(target), expressions_.parse_tuple(false, "recursive"), nullptr, false, {}, {}};
    if (tokens_.skip_name("if")) loop.condition = expressions_.parse_expression();
    loop.recursive = tokens_.skip_name("recursive");
    ++loops_;
    {
      const Inside inside(*this, false, true);
      loop.body = parse_block({"endfor", "else"});
    }
    --loops_;
    if (tokens_.take().text == "else") {
      const Inside inside(*this, false, in_loop_);
      loop.otherwise = parse_block_to("endfor");
    }
    return loop;
  }

  Statement::Node parse_if(const Token&) {
    If result;
    const Inside inside(*this, true, in_loop_);
    for (;;) {
      Expr condition = expressions_.parse_tuple(false);
      Block body = parse_block({"elif", "else", "endif"});
      result.branches.emplace_back(std::move(condition), std::move(body));
      const Token end = tokens_.take();
      if (end.text == "else") result.otherwise = parse_block_to("endif");
      if (end.text != "elif") return result;
    }
  }

  Signature parse_signature() {
    Signature signature;
    tokens_.expect_operator("(");
    while (!tokens_.is_operator(")")) {
      if (!signature.parameters.empty()) tokens_.expect_operator(",");
      Parameter parameter{parse_assigned_name(), nullptr};
      if (tokens_.skip_operator("=")) {
        parameter.fallback = expressions_.parse_expression();
      } else if (!signature.parameters.empty() && signature.parameters.back().fallback != nullptr) {
        tokens_.fail_at(tokens_.line(), "non-default argument follows default argument");
      }
      signature.parameters.push_back(std::move(parameter));
    }
    tokens_.take();
    return signature;
  }

  // The body of a macro, which takes further arguments when it names them.
  Block parse_macro_body(Signature& signature, std::string_view end) {
    const bool caller = std::exchange(expressions_.names_caller, false);
    const bool varargs = std::exchange(expressions_.names_varargs, false);
    const bool kwargs = std::exchange(expressions_.names_kwargs, false);
    const Inside inside(*this, false, false);
    Block body = parse_block_to(end);
    const auto is_parameter = [&](std::string_view name) {
      return std::any_of(signature.parameters.begin(), signature.parameters.end(),
                         [&](const Parameter& parameter) { return parameter.name == name; });
    };
    signature.takes_caller = expressions_.names_caller && !is_parameter("caller");
    signature.takes_varargs = expressions_.names_varargs && !is_parameter("varargs");
    signature.takes_kwargs = expressions_.names_kwargs && !is_parameter("kwargs");
    expressions_.names_caller |= caller;
    expressions_.names_varargs |= varargs;
    expressions_.names_kwargs |= kwargs;
    return body;
  }

  Statement::Node parse_macro(const Token&) {
    MacroDefinition macro;
    macro.name = parse_assigned_name();
    macro.signature = parse_signature();
    macro.body = parse_macro_body(macro.signature, "endmacro");
    return macro;
  }

  Statement::Node parse_call(const Token& tag) {
    CallBlock call;
    if (tokens_.is_operator("(")) call.signature = parse_signature();
    call.call = expressions_.parse_expression();
    if (!std::holds_alternative<Call>(call.call->node)) tokens_.fail_at(tag.line, "expected call");
    call.body = parse_macro_body(call.signature, "endcall");
    return call;
  }

  Statement::Node parse_filter(const Token&) {
    FilterBlock block;
    block.filter = expressions_.parse_filters(expressions_.parse_filter(nullptr));
    const Inside inside(*this, false, in_loop_);
    block.body = parse_block_to("endfilter");
    return block;
  }

  Statement::Node parse_with(const Token&) {
    With with;
    while (!tokens_.is(TokenType::kBlockEnd)) {
      if (!with.assignments.empty()) tokens_.expect_operator(",");
      Target target = parse_target(false);
      tokens_.expect_operator("=");
      with.assignments.emplace_back(std::move(target), expressions_.parse_expression());
    }
    const Inside inside(*this, false, in_loop_);
    with.body = parse_block_to("endwith");
    return with;
  }

  Statement::Node parse_generation(const Token&) {
    const Inside inside(*this, false, false);
    return Generation{parse_block_to("endgeneration")};
  }

  Statement::Node parse_break(const Token& tag) {
    if (!in_loop_) tokens_.fail_at(tag.line, "'break' outside loop");
    return Break{};
  }

  Statement::Node parse_continue(const Token& tag) {
    if (!in_loop_) tokens_.fail_at(tag.line, "'continue' not properly in loop");
    return Continue{};
  }

  struct Row {
    std::string_view name;
    Statement::Node (Parser::*parse)(const Token& tag);
  };
  static const Row kStatements[10];

  TokenStream tokens_;
  ExpressionParser expressions_;
  std::vector<Names> ends_;        // the tags that each open body looks for
  std::vector<std::string> tags_;  // of the open statements
  bool in_loop_ = false;
  int loops_ = 0;
};

const Parser::Row Parser::kStatements[10] = {
    {"break", &Parser::parse_break},
    {"call", &Parser::parse_call},
    {"continue", &Parser::parse_continue},
    {"filter", &Parser::parse_filter},
    {"for", &Parser::parse_for},
    {"generation", &Parser::parse_generation},
    {"if", &Parser::parse_if},
    {"macro", &Parser::parse_macro},
    {"set", &Parser::parse_set},
    {"with", &Parser::parse_with},
};

}  // namespace

Block parse(std::string_view source, std::string_view origin, const Limits& limits) {
  return Parser(source, origin, limits).run();
}

}  // namespace nibble::jinja
