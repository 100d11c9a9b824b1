// The recipes of recipes/, built in.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "plan/recipe.h"

namespace nibble {

struct BuiltinRecipe {
  std::string_view name;  // "q4_k_m"
  std::string_view text;

  Recipe parse() const;
};

std::span<const BuiltinRecipe> builtin_recipes();  // sorted by name

// By name in any letter case, by one of llama.cpp's aliases ("q4_k" is q4_k_m), or by the number of
// its file_type ("15"); nullptr when there is none.
const BuiltinRecipe* find_builtin_recipe(std::string_view text);

}  // namespace nibble
