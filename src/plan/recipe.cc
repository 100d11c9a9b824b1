#include "plan/recipe.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

#include "base/error.h"

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

std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// '*' matches any run of characters, everything else itself. Linear in the text for each star.
bool matches_glob(std::string_view glob, std::string_view text) {
  size_t g = 0, t = 0, star = std::string_view::npos, retry = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      retry = t;
    } else if (g < glob.size() && glob[g] == text[t]) {
      ++g, ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

bool is_glob(std::string_view selector) {
  return selector.find_first_of(".*") != std::string_view::npos;
}

struct NameParts {
  std::string_view role;          // "attn_q"
  std::optional<uint64_t> layer;  // of blk.N. names
};

// "blk.3.ffn_down_exps.weight" is ffn_down of layer 3.
NameParts parts_of(std::string_view name) {
  NameParts parts;
  if (name.starts_with("blk.")) {
    const auto dot = name.find('.', 4);
    if (dot == std::string_view::npos) return {name, std::nullopt};
    parts.layer = parse_number(name.substr(4, dot - 4));
    name.remove_prefix(dot + 1);
  }
  parts.role = name.substr(0, name.find('.'));
  for (const std::string_view suffix : {"_exps", "_shexp"}) {
    if (parts.role.ends_with(suffix)) parts.role.remove_suffix(suffix.size());
  }
  return parts;
}

bool matches(std::string_view selector, std::string_view name, std::string_view role,
             bool has_output) {
  if (selector == "all") return true;
  if (is_glob(selector)) return matches_glob(selector, name);
  return selector == role || (selector == "output" && role == "token_embd" && !has_output);
}

bool more_bits(uint64_t layer, uint64_t n_layer) {
  return layer < n_layer / 8 || layer >= 7 * n_layer / 8 || (layer - n_layer / 8) % 3 == 2;
}

bool compare(uint64_t left, std::string_view op, uint64_t right) {
  if (op == "==") return left == right;
  if (op == "!=") return left != right;
  if (op == "<") return left < right;
  if (op == "<=") return left <= right;
  return op == ">" ? left > right : left >= right;
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
      if (words[0] == "all" && words.size() == 2) {
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
      const auto number = words.size() == 2 ? parse_number(words[1]) : std::nullopt;
      if (!number || *number > UINT32_MAX) bad("expected \"file_type NUMBER\"");
      recipe_.file_type_ = static_cast<uint32_t>(*number);
      return;
    }
    if (words.size() < 2)
      bad("expected \"SELECTOR [where CONDITION [and CONDITION]...] TYPE\", found \"{}\"",
          words[0]);
    check_selector(words[0]);
    const auto type = dtype_from_name(words.back());
    if (!type) bad("unknown type \"{}\"; use one of {}", words.back(), type_names());
    Line line{words[0], {}, *type, line_};
    if (words.size() > 2) {
      if (words[1] != "where")
        bad("expected \"where\" or the end after \"{}\", found \"{}\"", words[0], words[1]);
      line.conditions = parse_conditions(std::span(words).subspan(2, words.size() - 3));
    }
    recipe_.lines_.push_back(std::move(line));
  }

  void check_selector(const std::string& selector) const {
    static constexpr auto kNames = std::to_array<std::string_view>(
        {"all", "attn_q", "attn_k", "attn_v", "attn_qkv", "attn_output", "ffn_gate", "ffn_up",
         "ffn_down", "token_embd", "output"});
    if (is_glob(selector) || std::ranges::find(kNames, selector) != kNames.end()) return;
    std::string names;
    for (const auto name : kNames) names += (names.empty() ? "" : " ") + std::string(name);
    bad("unknown tensor \"{}\"; use one of {}, or a pattern with a . or *", selector, names);
  }

  static std::string type_names() {
    std::string names;
    for (const DType type : all_dtypes())
      names += (names.empty() ? "" : " ") + std::string(dtype_name(type));
    return names;
  }

  std::vector<Condition> parse_conditions(std::span<const std::string> words) const {
    std::vector<Condition> conditions;
    for (;;) {
      if (words.empty()) bad("a condition is missing");
      const size_t used = words[0] == "more_bits" ? 1 : 3;
      if (words.size() < used) bad("expected \"{} OP VALUE\"", words[0]);
      conditions.push_back(parse_condition(words.first(used)));
      words = words.subspan(used);
      if (words.empty()) return conditions;
      if (words[0] != "and") bad("expected \"and\" between conditions, found \"{}\"", words[0]);
      words = words.subspan(1);
    }
  }

  Condition parse_condition(std::span<const std::string> words) const {
    static constexpr auto kVariables =
        std::to_array<std::pair<std::string_view, Variable>>({{"more_bits", Variable::kMoreBits},
                                                              {"arch", Variable::kArch},
                                                              {"layer", Variable::kLayer},
                                                              {"n_layer", Variable::kNLayer},
                                                              {"n_expert", Variable::kNExpert},
                                                              {"gqa", Variable::kGqa}});
    static constexpr auto kOps =
        std::to_array<std::string_view>({"==", "!=", "<", "<=", ">", ">="});
    const auto variable =
        std::ranges::find(kVariables, words[0], &std::pair<std::string_view, Variable>::first);
    if (variable == kVariables.end()) {
      bad("unknown condition \"{}\"; use more_bits, layer, n_layer, n_expert, gqa or arch",
          words[0]);
    }
    Condition condition{variable->second, "", "", 0, false};
    if (condition.variable == Variable::kMoreBits) return condition;
    condition.op = words[1];
    const bool is_arch = condition.variable == Variable::kArch;
    const auto op = std::ranges::find(kOps, words[1]);
    if (op == kOps.end() || (is_arch && op - kOps.begin() > 1)) {
      bad("expected {} after \"{}\", found \"{}\"",
          is_arch ? "== or !=" : "== != < <= > or >=", words[0], words[1]);
    }
    if (is_arch) {
      condition.arch = words[2];
    } else {
      parse_value(words[2], condition);
    }
    return condition;
  }

  void parse_value(std::string_view text, Condition& condition) const {
    constexpr std::string_view kFraction = "n_layer/";
    condition.is_fraction = text.starts_with(kFraction);
    const auto number = parse_number(condition.is_fraction ? text.substr(kFraction.size()) : text);
    if (!number || (condition.is_fraction && *number == 0)) {
      bad("expected an integer or n_layer/INTEGER, found \"{}\"", text);
    }
    condition.number = *number;
  }

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

bool Recipe::holds(const Condition& condition, std::optional<uint64_t> layer,
                   const RecipeContext& context) {
  const uint64_t right =
      condition.is_fraction ? context.n_layer / condition.number : condition.number;
  switch (condition.variable) {
    case Variable::kMoreBits:
      return layer && more_bits(*layer, context.n_layer);
    case Variable::kArch:
      return (context.arch == condition.arch) == (condition.op == "==");
    case Variable::kLayer:
      return layer && compare(*layer, condition.op, right);
    case Variable::kNLayer:
      return compare(context.n_layer, condition.op, right);
    case Variable::kNExpert:
      return compare(context.n_expert, condition.op, right);
    case Variable::kGqa:
      return compare(context.gqa, condition.op, right);
  }
  return false;
}

DType Recipe::type_for(std::string_view tensor_name, const RecipeContext& context) const {
  const NameParts parts = parts_of(tensor_name);
  DType type = base_type_;
  for (const Line& line : lines_) {
    if (!matches(line.selector, tensor_name, parts.role, context.has_output)) continue;
    const auto is_met = [&](const Condition& condition) {
      return holds(condition, parts.layer, context);
    };
    if (std::ranges::all_of(line.conditions, is_met)) type = line.type;
  }
  return type;
}

std::vector<std::string> Recipe::unmatched_lines(const std::vector<std::string_view>& tensor_names,
                                                 const RecipeContext& context) const {
  std::vector<std::string> sentences;
  for (const Line& line : lines_) {
    const auto is_meant = [&](std::string_view name) {
      return matches(line.selector, name, parts_of(name).role, context.has_output);
    };
    if (std::ranges::any_of(tensor_names, is_meant)) continue;
    sentences.push_back(fmt::format("{}: line {}: no tensor of this model is meant by \"{}\"",
                                    name_, line.number, line.selector));
  }
  return sentences;
}

}  // namespace nibble
