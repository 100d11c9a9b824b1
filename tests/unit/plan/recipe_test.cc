// The language of recipes, and what it says about bad lines.
#include "plan/recipe.h"

#include <gtest/gtest.h>

#include <string>

#include "codec/formats.h"
#include "plan/builtin.h"
#include "support/files.h"

namespace nibble {
namespace {

const RecipeContext kModel = {
    .arch = "llama", .n_layer = 16, .n_expert = 0, .gqa = 4, .has_output = true};

DType type_for(const std::string& text, const std::string& tensor,
               const RecipeContext& model = kModel, uint64_t columns = 256) {
  return Recipe::parse(text, "test.recipe").type_for(tensor, columns, model);
}

TEST(Recipe, LastMatchingLineWins) {
  const std::string text = "all q4_0\nattn_v q6_k\nblk.3.* q8_0\nattn_v q4_k\n";
  EXPECT_EQ(type_for(text, "blk.3.attn_q.weight"), DType::kQ8_0);
  EXPECT_EQ(type_for(text, "blk.3.attn_v.weight"), DType::kQ4_K);
  EXPECT_EQ(type_for(text, "token_embd.weight"), DType::kQ4_0);
}

TEST(Recipe, IgnoresCommentsSpacesAndLineEnds) {
  EXPECT_EQ(type_for("# mine\r\n\n  all \t Q4_K # base\r\n", "output.weight"), DType::kQ4_K);
}

TEST(Recipe, KnowsExpertTensorsByTheirRole) {
  EXPECT_EQ(type_for("all q4_0\nffn_down q6_k", "blk.0.ffn_down_exps.weight"), DType::kQ6_K);
}

TEST(Recipe, LinesSpeakOfSeveralTensors) {
  const std::string text = "all q4_0\nattn_k,attn_v,*gate* where gqa == 4 q8_0";
  for (const char* meant : {"blk.1.attn_k.weight", "blk.1.attn_v.weight", "blk.1.ffn_gate.weight"})
    EXPECT_EQ(type_for(text, meant), DType::kQ8_0) << meant;
  EXPECT_EQ(type_for(text, "blk.1.attn_q.weight"), DType::kQ4_0);
  RecipeContext other = kModel;
  other.gqa = 1;
  EXPECT_EQ(type_for(text, "blk.1.attn_k.weight", other), DType::kQ4_0);
}

TEST(Recipe, OutputIsTheTokenEmbeddingOfTiedModels) {
  const std::string text = "all q4_0\noutput q6_k";
  RecipeContext tied = kModel;
  tied.has_output = false;
  EXPECT_EQ(type_for(text, "token_embd.weight"), DType::kQ4_0);
  EXPECT_EQ(type_for(text, "token_embd.weight", tied), DType::kQ6_K);
}

TEST(Recipe, ConditionsCompareNumbersOfTheModel) {
  const auto type = [](const std::string& condition, int layer = 3) {
    return type_for("all q4_0\nattn_q where " + condition + " q8_0",
                    "blk." + std::to_string(layer) + ".attn_q.weight");
  };
  for (const char* holds : {"gqa >= 4", "gqa == 4", "n_layer == 16", "n_expert != 8", "layer < 4",
                            "layer <= 3", "layer > n_layer/8", "layer < 7*n_layer/8",
                            "arch == llama", "arch != falcon", "gqa > 3 and layer == 3"}) {
    EXPECT_EQ(type(holds), DType::kQ8_0) << holds;
  }
  for (const char* fails : {"gqa < 4", "layer < n_layer/8", "layer >= 3*n_layer/8",
                            "arch == falcon", "gqa > 3 and layer == 4"}) {
    EXPECT_EQ(type(fails), DType::kQ4_0) << fails;
  }
}

TEST(Recipe, MoreBitsTakesBothEndsAndEveryThirdBetween) {
  std::string layers;
  for (int layer = 0; layer < 16; ++layer) {
    const auto type = type_for("all q4_0\nattn_v where more_bits q6_k",
                               "blk." + std::to_string(layer) + ".attn_v.weight");
    layers += type == DType::kQ6_K ? '1' : '0';
  }
  EXPECT_EQ(layers, "1100100100100111");
}

TEST(Recipe, FlagsCanBeNegated) {
  RecipeContext important = kModel;
  important.importance = true;
  const auto holds = [&](const std::string& condition, const RecipeContext& model = kModel,
                         uint64_t columns = 256) {
    return type_for("all q4_0\nattn_q where " + condition + " q8_0", "blk.3.attn_q.weight", model,
                    columns) == DType::kQ8_0;
  };
  EXPECT_TRUE(holds("importance", important));
  EXPECT_FALSE(holds("importance"));
  EXPECT_FALSE(holds("no importance", important));
  EXPECT_TRUE(holds("no importance and layer == 3"));
  EXPECT_TRUE(holds("ragged", kModel, 320));
  EXPECT_FALSE(holds("ragged", kModel, 512));
  EXPECT_TRUE(holds("no more_bits"));
}

TEST(Recipe, ConditionsOnLayersSpareTensorsOutsideThem) {
  EXPECT_EQ(type_for("all q4_0\nall where layer < 2 q8_0", "output.weight"), DType::kQ4_0);
  EXPECT_EQ(type_for("all q4_0\nall where more_bits q8_0", "token_embd.weight"), DType::kQ4_0);
  EXPECT_EQ(type_for("all q4_0\nall where n_layer == 16 q8_0", "output.weight"), DType::kQ8_0);
}

TEST(Recipe, NamesTheBadLine) {
  const auto fails = [](const std::string& text, const std::vector<std::string>& fragments) {
    return fails_with(ErrorCode::kInvalidFile, fragments,
                      [&] { Recipe::parse(text, "my.recipe"); });
  };
  EXPECT_TRUE(fails("all q4_0\nattn_x q8_0", {"my.recipe", "line 2", "attn_x"}));
  EXPECT_TRUE(fails("all q4_0\nattn_k,attn_x q8_0", {"line 2", "\"attn_x\"", "attn_qkv"}));
  EXPECT_TRUE(fails("all q4_0\nattn_norm q8_0", {"line 2", "attn_norm"}));
  for (const char* list : {"attn_k,,attn_v", ",attn_k", "attn_k,", ","})
    EXPECT_TRUE(fails(std::string("all q4_0\n") + list + " q8_0", {"line 2", list, "missing"}));
  EXPECT_TRUE(fails("all q4_0\nattn_k, attn_v q8_0", {"line 2", "\"attn_k,\"", "no spaces"}));
  EXPECT_TRUE(fails("all q4_0\nattn_k ,attn_v q8_0", {"line 2", "where", ",attn_v"}));
  EXPECT_TRUE(fails("all q4_0\nall,attn_k q8_0", {"line 2", "all,attn_k", "alone"}));
  EXPECT_TRUE(fails("all q9_9", {"line 1", "q9_9", "q4_k"}));
  EXPECT_TRUE(fails("all", {"line 1", "SELECTOR"}));
  EXPECT_TRUE(fails("all q4_0\nattn_v if more_bits q8_0", {"line 2", "where", "if"}));
  EXPECT_TRUE(fails("all q4_0\nattn_v where q8_0", {"line 2", "condition"}));
  EXPECT_TRUE(fails("all q4_0\nattn_v where layer < q8_0", {"line 2", "layer"}));
  EXPECT_TRUE(fails("all q4_0\nattn_v where layer ~ 3 q8_0", {"line 2", "~"}));
  EXPECT_TRUE(fails("all q4_0\nattn_v where arch < llama q8_0", {"line 2", "== or !="}));
  EXPECT_TRUE(fails("all q4_0\nattn_v where layer < n_layer/0 q8_0", {"line 2", "n_layer/0"}));
  EXPECT_TRUE(fails("all q4_0\nattn_v where layer < 0*n_layer q8_0", {"line 2", "0*n_layer"}));
  EXPECT_TRUE(fails("all q4_0\nattn_v where layer < 9999999999*n_layer/8 q8_0", {"line 2"}));
  EXPECT_TRUE(fails("all q4_0\nattn_v where no layer q8_0", {"line 2", "no", "layer"}));
  EXPECT_TRUE(fails("all q4_0\nattn_v where no q8_0", {"line 2", "no FLAG"}));
  EXPECT_TRUE(fails("all q4_0\nattn_v where more_bits or layer < 3 q8_0", {"line 2", "or"}));
  EXPECT_TRUE(fails("file_type x\nall q4_0", {"line 1", "file_type"}));
  EXPECT_TRUE(fails("attn_v q4_0", {"my.recipe", "all TYPE"}));
  EXPECT_TRUE(fails("", {"my.recipe", "all TYPE"}));
}

TEST(Recipe, SeedsOfTheFuzzerAreRead) {
  for (const auto& seed : fuzz_seeds("recipe")) {
    EXPECT_NO_THROW(Recipe::parse(read_file(seed), seed.string())) << seed;
  }
}

TEST(BuiltinRecipes, AllParseAndSayTheirFileType) {
  EXPECT_GE(builtin_recipes().size(), 36u);
  for (const BuiltinRecipe& row : builtin_recipes()) {
    EXPECT_TRUE(row.parse().file_type().has_value()) << row.name;
  }
  EXPECT_EQ(find_builtin_recipe("q4_k_m")->parse().file_type(), 15u);
  EXPECT_FALSE(find_builtin_recipe("q4_k_x"));
}

TEST(BuiltinRecipes, GoByNameAliasAndNumber) {
  const auto name = [](const char* text) { return find_builtin_recipe(text)->name; };
  EXPECT_EQ(name("Q4_K_M"), "q4_k_m");
  EXPECT_EQ(name("q4_K"), "q4_k_m");
  EXPECT_EQ(name("Q5_K"), "q5_k_m");
  EXPECT_EQ(name("15"), "q4_k_m");
  EXPECT_EQ(name("7"), "q8_0");
  EXPECT_EQ(find_builtin_recipe("4"), nullptr);
  EXPECT_EQ(find_builtin_recipe("15 "), nullptr);
}

TEST(Recipe, SaysWhichLinesMeanNoTensor) {
  const auto recipe =
      Recipe::parse("all q4_0\n\nattn_qkv,attn_q q8_0\nblk.7.* q8_0\nattn_q q6_k", "my.recipe");
  const auto sentences = recipe.unmatched_lines({"blk.0.attn_q.weight", "output.weight"}, kModel);
  ASSERT_EQ(sentences.size(), 2u);
  EXPECT_EQ(sentences[0], "my.recipe: line 3: no tensor of this model is meant by \"attn_qkv\"");
  EXPECT_NE(sentences[1].find("line 4"), std::string::npos);
}

}  // namespace
}  // namespace nibble
