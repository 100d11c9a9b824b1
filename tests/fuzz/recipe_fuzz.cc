// Parses a recipe and asks it about tensors of a model.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "nibble/error.h"
#include "plan/recipe.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const nibble::RecipeContext model = {
      .arch = "llama", .n_layer = 32, .n_expert = 8, .gqa = 4, .has_output = false};
  try {
    const auto recipe =
        nibble::Recipe::parse({reinterpret_cast<const char*>(data), size}, "fuzz.recipe");
    for (const std::string_view name : {"token_embd.weight", "blk.3.attn_v.weight",
                                        "blk.18446744073709551616.ffn_down_exps.weight"}) {
      recipe.type_for(name, 320, model);
    }
    recipe.unmatched_lines({"blk.0.attn_q.weight"}, model);
  } catch (const nibble::Error&) {
  }
  return 0;
}
