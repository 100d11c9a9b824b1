# cmake -DFOLDER=recipes -DOUTPUT=builtin_recipes.cc -P embed_recipes.cmake: recipes/*.recipe as C++ strings.
file(GLOB recipes ${FOLDER}/*.recipe)
list(SORT recipes)
set(rows "")
foreach(recipe ${recipes})
  get_filename_component(name ${recipe} NAME_WE)
  file(READ ${recipe} text)
  string(APPEND rows "    {\"${name}\", R\"recipe(${text})recipe\"},\n")
endforeach()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [=[// Made from recipes/ by cmake/embed_recipes.cmake.
#include <array>

#include "plan/builtin.h"

namespace nibble {
namespace {

constexpr auto kRecipes = std::to_array<BuiltinRecipe>({
@rows@});

}  // namespace

std::span<const BuiltinRecipe> builtin_recipes() { return kRecipes; }

}  // namespace nibble
]=])
