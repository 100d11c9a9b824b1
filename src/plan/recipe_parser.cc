// Recipe::parse.
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/parse_number.h"
#include "model/roles.h"
#include "plan/recipe.h"
#include "plan/type_rule.h"

namespace nibble {
namespace {

std::vector<std::string> words_of(std::string_view line) {
  line = line.substr(0, line.find('#'));
  std::vector<std::string> words;
  size_t at = 0;
  while ((at = line.find_first_not_of(" \t\r", at)) != std::string_view::npos) {
    const size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
    words.emplace_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

constexpr std::string_view kAll = "all";

bool is_glob(std::string_view selector) {
  return selector.find_first_of(".*") != std::string_view::npos;
}

// What a selector may be besides a glob: `all`, and every matrix that a model has (ffn_up stands
// for the experts', too).
std::vector<std::string_view> selector_names() {
  std::vector<std::string_view> names = {kAll};
  for (const RoleRow& row : kRoles) {
    const bool is_shared = row.name.ends_with("_shexp");
    const bool is_matrix = row.kind == RoleKind::kMatrix || row.kind == RoleKind::kTable;
    if (is_matrix && !is_shared) names.push_back(row.name);
  }
  return names;
}

}  // namespace

class Recipe::Parser {
 public:
  Parser(Recipe& recipe, const std::string& name) : recipe_(recipe), name_(name) {}

  void parse(std::string_view text) {
    bool has_base = false;
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      const auto words = words_of(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
      ++line_;
      if (words.empty()) continue;
      parse_line(words);
      if (words[0] == kAll && words.size() == 2) {
        recipe_.base_type_ = recipe_.lines_.back().type;
        has_base = true;
      }
    }
    if (!has_base)
      fail(ErrorCode::kInvalidFile, "{}: no line \"all TYPE\": every tensor needs a type", name_);
  }

 private:
  template <class... Args>
  [[noreturn]] void bad(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorCode::kInvalidFile, "{}: line {}: {}", name_, line_,
         fmt::format(format, std::forward<Args>(args)...));
  }

  void parse_line(const std::vector<std::string>& words) {
    if (words[0] == "file_type") {
      const auto number = words.size() == 2 ? parse_number<uint64_t>(words[1]) : std::nullopt;
      if (!number || *number > UINT32_MAX) bad("expected \"file_type NUMBER\"");
      recipe_.file_type_ = static_cast<uint32_t>(*number);
      return;
    }
    if (words.size() < 2)
      bad("expected \"SELECTOR[,SELECTOR]... [where CONDITION [and CONDITION]...] TYPE\", found "
          "\"{}\"",
          words[0]);
    const auto type = dtype_from_name(words.back());
    if (!type) bad("unknown type \"{}\"; use one of {}", words.back(), dtype_names());
    Line line{parse_selectors(words[0]), {}, *type, line_};
    if (words.size() > 2) {
      if (words[1] != "where")
        bad("expected \"where\" or the end after \"{}\", found \"{}\"", words[0], words[1]);
      line.conditions = parse_conditions(std::span(words).subspan(2, words.size() - 3));
    }
    recipe_.lines_.push_back(std::move(line));
  }

  std::vector<Selector> parse_selectors(std::string_view list) const {
    std::vector<Selector> selectors;
    for (const std::string_view text : split(list)) {
      if (text.empty()) bad("a tensor is missing in \"{}\": NAME,NAME has no spaces", list);
      if (text == kAll && text != list) bad("\"all\" stands alone, found \"{}\"", list);
      check_selector(text);
      selectors.push_back({std::string(text), is_glob(text)});
    }
    return selectors;
  }

  static std::vector<std::string_view> split(std::string_view list) {
    std::vector<std::string_view> parts;
    for (size_t comma; (comma = list.find(',')) != std::string_view::npos;) {
      parts.push_back(list.substr(0, comma));
      list.remove_prefix(comma + 1);
    }
    parts.push_back(list);
    return parts;
  }

  void check_selector(std::string_view selector) const {
    const auto names = selector_names();
    if (is_glob(selector) || std::ranges::find(names, selector) != names.end()) return;
    bad("unknown tensor \"{}\"; use one of {}, or a pattern with a . or *", selector,
        fmt::join(names, " "));
  }

  std::vector<Condition> parse_conditions(std::span<const std::string> words) const {
    std::vector<Condition> conditions;
    for (;;) {
      if (words.empty()) bad("a condition is missing");
      const size_t used = is_flag(words[0]) ? 1 : words[0] == "no" ? 2 : 3;
      if (words.size() < used) bad("expected \"{} {}\"", words[0], used == 2 ? "FLAG" : "OP VALUE");
      conditions.push_back(parse_condition(words.first(used)));
      words = words.subspan(used);
      if (words.empty()) return conditions;
      if (words[0] != "and") bad("expected \"and\" between conditions, found \"{}\"", words[0]);
      words = words.subspan(1);
    }
  }

  static bool is_flag(std::string_view word) {
    return std::ranges::find(kFlags, word, &Name::first) != kFlags.end();
  }

  Condition parse_condition(std::span<const std::string> words) const {
    const bool negated = words[0] == "no";
    const std::string& name = words[negated ? 1 : 0];
    const auto flag = std::ranges::find(kFlags, name, &Name::first);
    if (flag != kFlags.end()) return {flag->second, negated, {}, "", 0, 0};
    if (negated) bad("expected more_bits, importance or ragged after \"no\", found \"{}\"", name);
    return parse_comparison(words);
  }

  Condition parse_comparison(std::span<const std::string> words) const {
    static constexpr auto kVariables = std::to_array<Name>({{"arch", Variable::kArch},
                                                            {"layer", Variable::kLayer},
                                                            {"n_layer", Variable::kNLayer},
                                                            {"n_expert", Variable::kNExpert},
                                                            {"gqa", Variable::kGqa}});
    using OperatorName = std::pair<std::string_view, Operator>;
    static constexpr auto kOperators = std::to_array<OperatorName>({{"==", Operator::kEqual},
                                                                    {"!=", Operator::kNotEqual},
                                                                    {"<", Operator::kLess},
                                                                    {"<=", Operator::kAtMost},
                                                                    {">", Operator::kMore},
                                                                    {">=", Operator::kAtLeast}});
    const auto variable = std::ranges::find(kVariables, words[0], &Name::first);
    if (variable == kVariables.end()) {
      bad("unknown condition \"{}\"; use more_bits, importance, ragged, layer, n_layer, n_expert, "
          "gqa or arch",
          words[0]);
    }
    const bool is_arch = variable->second == Variable::kArch;
    const auto op = std::ranges::find(kOperators, words[1], &OperatorName::first);
    if (op == kOperators.end() || (is_arch && op - kOperators.begin() > 1)) {
      bad("expected {} after \"{}\", found \"{}\"",
          is_arch ? "== or !=" : "== != < <= > or >=", words[0], words[1]);
    }
    Condition condition{variable->second, false, op->second, "", 0, 0};
    if (is_arch) {
      condition.arch = words[2];
    } else {
      parse_value(words[2], condition);
    }
    return condition;
  }

  // "3", "n_layer/8", "7*n_layer/8".
  void parse_value(std::string_view text, Condition& condition) const {
    constexpr std::string_view kFraction = "n_layer/";
    constexpr uint64_t kLargest = 1'000'000'000;
    const size_t at = text.find(kFraction);
    std::optional<uint64_t> number, divisor = 0;
    if (at == std::string_view::npos) {
      number = parse_number<uint64_t>(text);
    } else {
      divisor = parse_number<uint64_t>(text.substr(at + kFraction.size()));
      number = at == 0               ? 1
               : text[at - 1] == '*' ? parse_number<uint64_t>(text.substr(0, at - 1))
                                     : std::nullopt;
    }
    const bool is_zero = at != std::string_view::npos && divisor == 0u;
    if (!number || !divisor || is_zero || *number > kLargest || *divisor > kLargest) {
      bad("expected an integer, n_layer/INTEGER or INTEGER*n_layer/INTEGER, found \"{}\"", text);
    }
    condition.number = *number;
    condition.divisor = *divisor;
  }

  using Name = std::pair<std::string_view, Variable>;
  static constexpr auto kFlags = std::to_array<Name>({{"more_bits", Variable::kMoreBits},
                                                      {"importance", Variable::kImportance},
                                                      {"ragged", Variable::kRagged}});

  Recipe& recipe_;
  const std::string& name_;
  int line_ = 0;
};

Recipe Recipe::parse(std::string_view text, const std::string& name) {
  Recipe recipe;
  recipe.name_ = name;
  Parser(recipe, name).parse(text);
  return recipe;
}

}  // namespace nibble
