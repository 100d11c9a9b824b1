#include "plan/builtin.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <utility>

#include "base/parse_number.h"

namespace nibble {
namespace {

constexpr auto kAliases = std::to_array<std::pair<std::string_view, std::string_view>>(
    {{"q3_k", "q3_k_m"}, {"q4_k", "q4_k_m"}, {"q5_k", "q5_k_m"}});

const BuiltinRecipe* find_number(std::string_view text) {
  const auto number = parse_number<uint32_t>(text);
  if (!number) return nullptr;
  for (const BuiltinRecipe& recipe : builtin_recipes()) {
    if (recipe.parse().file_type() == number) return &recipe;
  }
  return nullptr;
}

}  // namespace

Recipe BuiltinRecipe::parse() const {
  return Recipe::parse(text, "recipes/" + std::string(name) + ".recipe");
}

const BuiltinRecipe* find_builtin_recipe(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto alias = std::ranges::find(kAliases, lower, &decltype(kAliases)::value_type::first);
  if (alias != kAliases.end()) lower = alias->second;
  const auto recipes = builtin_recipes();
  const auto found = std::ranges::find(recipes, lower, &BuiltinRecipe::name);
  return found == recipes.end() ? find_number(text) : &*found;
}

}  // namespace nibble
