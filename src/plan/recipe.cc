#include "plan/recipe.h"

#include <algorithm>

#include "base/error.h"
#include "model/roles.h"

namespace nibble {
namespace {

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

struct NameParts {
  std::string_view role;          // "attn_q"
  std::optional<uint64_t> layer;  // of blk.N. names
};

// "blk.3.ffn_down_exps.weight" is ffn_down of layer 3.
NameParts parts_of(std::string_view name) {
  NameParts parts;
  const auto [layer, rest] = split_layer(name);
  parts.layer = layer;
  parts.role = rest.substr(0, rest.find('.'));
  for (const std::string_view suffix : {"_exps", "_shexp"}) {
    if (parts.role.ends_with(suffix)) parts.role.remove_suffix(suffix.size());
  }
  return parts;
}

bool more_bits(uint64_t layer, uint64_t n_layer) {
  return layer < n_layer / 8 || layer >= 7 * n_layer / 8 || (layer - n_layer / 8) % 3 == 2;
}

}  // namespace

bool Recipe::compare(uint64_t left, Operator op, uint64_t right) {
  switch (op) {
    case Operator::kEqual:
      return left == right;
    case Operator::kNotEqual:
      return left != right;
    case Operator::kLess:
      return left < right;
    case Operator::kAtMost:
      return left <= right;
    case Operator::kMore:
      return left > right;
    case Operator::kAtLeast:
      return left >= right;
  }
  return false;
}

bool Recipe::selects(const Selector& selector, std::string_view name,
                     const RecipeContext& context) {
  if (selector.text == "all") return true;
  if (selector.is_glob) return matches_glob(selector.text, name);
  const std::string_view role = parts_of(name).role;
  const bool is_tied = role == role_row(Role::kTokenEmbd).name && !context.has_output;
  return selector.text == role || (is_tied && selector.text == role_row(Role::kOutput).name);
}

bool Recipe::holds(const Condition& condition, const Tensor& tensor, const RecipeContext& context) {
  constexpr uint64_t kSuperBlock = 256;
  const auto layer = tensor.layer;
  const uint64_t right = condition.divisor == 0
                             ? condition.number
                             : condition.number * context.n_layer / condition.divisor;
  switch (condition.variable) {
    case Variable::kMoreBits:
      return layer && more_bits(*layer, context.n_layer) != condition.negated;
    case Variable::kImportance:
      return context.importance != condition.negated;
    case Variable::kRagged:
      return (tensor.columns % kSuperBlock != 0) != condition.negated;
    case Variable::kArch:
      return (context.arch == condition.arch) == (condition.op == Operator::kEqual);
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

DType Recipe::type_for(std::string_view tensor_name, uint64_t columns,
                       const RecipeContext& context) const {
  const NameParts parts = parts_of(tensor_name);
  DType type = base_type_;
  for (const Line& line : lines_) {
    const auto is_meant = [&](const Selector& selector) {
      return selects(selector, tensor_name, context);
    };
    const auto is_met = [&](const Condition& condition) {
      return holds(condition, {parts.layer, columns}, context);
    };
    if (std::ranges::any_of(line.selectors, is_meant) &&
        std::ranges::all_of(line.conditions, is_met))
      type = line.type;
  }
  return type;
}

std::vector<std::string> Recipe::unmatched_lines(const std::vector<std::string_view>& tensor_names,
                                                 const RecipeContext& context) const {
  std::vector<std::string> sentences;
  for (const Line& line : lines_) {
    for (const Selector& selector : line.selectors) {
      const auto is_meant = [&](std::string_view name) { return selects(selector, name, context); };
      if (std::ranges::any_of(tensor_names, is_meant)) continue;
      sentences.push_back(fmt::format("{}: line {}: no tensor of this model is meant by \"{}\"",
                                      name_, line.number, selector.text));
    }
  }
  return sentences;
}

}  // namespace nibble
