// What users say about single tensors, and in which order it counts.
#include "plan/plan.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "codec/formats.h"
#include "support/files.h"

namespace nibble {
namespace {

const std::vector<TensorInfo> kTensors = {
    {"token_embd.weight", DType::kF16, {{256, 512, 1, 1}, 2}},
    {"output.weight", DType::kF16, {{256, 512, 1, 1}, 2}},
    {"blk.0.attn_norm.weight", DType::kF32, {{256, 1, 1, 1}, 1}},
    {"blk.0.attn_q.weight", DType::kF16, {{256, 256, 1, 1}, 2}},
    {"blk.0.attn_v.weight", DType::kF16, {{256, 64, 1, 1}, 2}},
    {"blk.0.ffn_down.weight", DType::kF16, {{288, 256, 1, 1}, 2}},
};

std::map<std::string, std::string> plan_of(const PlanOptions& options,
                                           const std::vector<TensorInfo>& tensors = kTensors) {
  Metadata metadata;
  metadata.set("general.architecture", "llama");
  metadata.set("llama.block_count", uint32_t{1});
  const auto recipe = Recipe::parse("all q4_k\noutput q6_k\nattn_v q5_k", "test.recipe");
  std::map<std::string, std::string> types;
  for (const PlannedTensor& planned : make_plan(tensors, metadata, recipe, options)) {
    types[tensors[planned.source_index].name] = dtype_name(planned.type);
  }
  return types;
}

TEST(Plan, TypesOfOutputAndEmbeddingStandBeforeRulesAndRecipe) {
  PlanOptions options;
  options.output = DType::kQ5_0;
  options.token_embedding = DType::kQ4_0;
  options.rules = {{"weight=q8_0", "test"}};
  const auto types = plan_of(options);
  EXPECT_EQ(types.at("output.weight"), "q5_0");
  EXPECT_EQ(types.at("token_embd.weight"), "q4_0");
  EXPECT_EQ(types.at("blk.0.attn_v.weight"), "q8_0");
  EXPECT_EQ(types.at("blk.0.attn_norm.weight"), "f32");
}

TEST(Plan, TypeOfOutputIsThatOfATiedEmbeddingUnlessItHasItsOwn) {
  std::vector<TensorInfo> tied = kTensors;
  tied.erase(tied.begin() + 1);
  PlanOptions options;
  options.output = DType::kQ5_0;
  EXPECT_EQ(plan_of(options, tied).at("token_embd.weight"), "q5_0");
  EXPECT_EQ(plan_of(options).at("token_embd.weight"), "q4_k");
  options.token_embedding = DType::kQ8_0;
  EXPECT_EQ(plan_of(options, tied).at("token_embd.weight"), "q8_0");
}

TEST(Plan, TheFirstRuleThatMatchesDecides) {
  PlanOptions options;
  options.rules = {{"ATTN_[qk]=q8_0", "test"}, {"attn=q4_0", "test"}};
  const auto types = plan_of(options);
  EXPECT_EQ(types.at("blk.0.attn_q.weight"), "q8_0");
  EXPECT_EQ(types.at("blk.0.attn_v.weight"), "q4_0");
  EXPECT_EQ(types.at("output.weight"), "q6_k");
}

TEST(Plan, RulesCountInPurePlans) {
  PlanOptions options;
  options.pure = true;
  options.rules = {{"attn_v=q8_0", "test"}};
  const auto types = plan_of(options);
  EXPECT_EQ(types.at("output.weight"), "q4_k");
  EXPECT_EQ(types.at("blk.0.attn_v.weight"), "q8_0");
}

TEST(Plan, ShapesFallBackWhoeverChoseTheType) {
  PlanOptions options;
  EXPECT_EQ(plan_of(options).at("blk.0.ffn_down.weight"), "q5_0");
  options.rules = {{"ffn_down=q6_k", "test"}};
  EXPECT_EQ(plan_of(options).at("blk.0.ffn_down.weight"), "q8_0");
}

TEST(Plan, OutputIsLeftWhenAsked) {
  PlanOptions options;
  options.leave_output = true;
  const auto types = plan_of(options);
  EXPECT_EQ(types.at("output.weight"), "f16");
  EXPECT_EQ(types.at("token_embd.weight"), "q4_k");
}

TEST(TypeRules, AreRefusedByTextAndOrigin) {
  const auto is_refused = [](const std::string& text, const std::vector<std::string>& fragments) {
    return fails_with(ErrorCode::kUsage, fragments, [&] { TypeRule(text, "--tensor-type"); });
  };
  EXPECT_TRUE(is_refused("attn_q", {"--tensor-type", "PATTERN=TYPE"}));
  EXPECT_TRUE(is_refused("=q8_0", {"PATTERN=TYPE"}));
  EXPECT_TRUE(is_refused(std::string(513, 'a') + "=q8_0", {"512 characters"}));
  EXPECT_TRUE(is_refused("attn_q=q9", {"unknown type \"q9\"", "q4_k"}));
  EXPECT_TRUE(is_refused("attn_(q=q8_0", {"attn_(q", "regular expression"}));
}

TEST(TypeRules, OfAFileStandOneALineWithComments) {
  const auto rules =
      parse_type_rules("# mine\nattn_q=q8_0\r\n\n  ffn=q6_k output=f16 # end\n", "f");
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[0].type(), DType::kQ8_0);
  EXPECT_TRUE(rules[1].matches("blk.0.ffn_up.weight"));
  EXPECT_EQ(rules[2].type(), DType::kF16);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"f: line 2", "q9"},
                         [] { parse_type_rules("a=q8_0\nb=q9", "f"); }));
}

TEST(TypeRules, DoNotMatchNamesTooLongForTheMatcher) {
  EXPECT_TRUE(TypeRule("x=q8_0", "t").matches("x"));
  EXPECT_FALSE(TypeRule("x=q8_0", "t").matches(std::string(60000, 'x')));
}

}  // namespace
}  // namespace nibble
