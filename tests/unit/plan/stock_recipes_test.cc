// The built-in recipes give every tensor the type that stock llama.cpp gives it.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "codec/formats.h"
#include "plan/builtin.h"
#include "plan/plan.h"
#include "support/files.h"

namespace nibble {
namespace {

// The models of tests/golden/recipes/stock_recipes.json; their shapes are told there in words.
struct ModelShape {
  std::string arch = "llama";
  uint64_t layers = 32;
  uint64_t heads = 8;
  uint64_t kv_heads = 8;
  uint64_t experts = 0;
  uint64_t hidden = 256;
  uint64_t ffn = 256;
};
const std::map<std::string, ModelShape> kModels = {
    {"llama_mha_32_layers", {}},
    {"llama_gqa4_32_layers", {.kv_heads = 2}},
    {"llama_gqa8_80_layers", {.layers = 80, .kv_heads = 1}},
    {"llama_tied_embedding_16_layers", {.layers = 16, .kv_heads = 2}},
    {"llama_8_experts_32_layers", {.kv_heads = 2, .experts = 8}},
    {"llama_4_experts_24_layers", {.layers = 24, .experts = 4}},
    {"llama_320_columns", {.layers = 8, .heads = 5, .kv_heads = 5, .hidden = 320, .ffn = 512}},
    {"llama_48_columns_ffn", {.layers = 4, .ffn = 272}},
    {"falcon_32_layers", {.arch = "falcon", .kv_heads = 1}},
    {"phi3_fused_qkv_32_layers", {.arch = "phi3"}},
    {"gpt2_12_layers", {.arch = "gpt2", .layers = 12}},
};

Metadata metadata_of(const ModelShape& shape) {
  Metadata metadata;
  metadata.set("general.architecture", shape.arch);
  metadata.set(shape.arch + ".block_count", static_cast<uint32_t>(shape.layers));
  metadata.set(shape.arch + ".expert_count", static_cast<uint32_t>(shape.experts));
  metadata.set(shape.arch + ".attention.head_count", static_cast<uint32_t>(shape.heads));
  metadata.set(shape.arch + ".attention.head_count_kv", static_cast<uint32_t>(shape.kv_heads));
  return metadata;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

// "0-3,6" -> {0, 1, 2, 3, 6}
std::vector<uint64_t> layers_of(const std::string& text) {
  std::vector<uint64_t> layers;
  for (const std::string& range : split(text, ',')) {
    const auto ends = split(range, '-');
    for (uint64_t layer = std::stoull(ends.front()); layer <= std::stoull(ends.back()); ++layer)
      layers.push_back(layer);
  }
  return layers;
}

// Name -> type in upper case, for one model and target: "Q5_K", or "Q5_K 0-1 Q4_K 2-31".
std::map<std::string, std::string> expected_types(const Json& target, uint64_t layers) {
  static const std::set<std::string> kGlobal = {"output", "token_embd", "position_embd"};
  std::map<std::string, std::string> types;
  for (const auto& [roles, value] : target.items()) {
    const auto words = split(value.get<std::string>(), ' ');
    for (const std::string& role : split(roles, ' ')) {
      if (kGlobal.contains(role)) {
        types[role + ".weight"] = words[0];
        continue;
      }
      const auto add = [&, &name = role](uint64_t layer, const std::string& type) {
        types["blk." + std::to_string(layer) + "." + name + ".weight"] = type;
      };
      for (uint64_t layer = 0; words.size() == 1 && layer < layers; ++layer) add(layer, words[0]);
      for (size_t i = 1; i < words.size(); i += 2) {
        for (const uint64_t layer : layers_of(words[i])) add(layer, words[i - 1]);
      }
    }
  }
  return types;
}

TensorInfo tensor_of(const std::string& name, const ModelShape& shape) {
  const bool is_down = name.find("ffn_down") != std::string::npos;
  return {name, DType::kF16, Shape{{is_down ? shape.ffn : shape.hidden, 64, 1, 1}, 2}};
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

// Younger than the lists (February 2025): q1_0, q2_0, nvfp4 and mxfp4_moe follow the rules of 2026,
// which nothing here confirms. The float types have no list.
const std::set<std::string_view> kNotCompared = {"bf16",  "f16",  "f32", "mxfp4_moe",
                                                 "nvfp4", "q1_0", "q2_0"};

TEST(BuiltinRecipes, ChooseWhatStockChoosesForEveryTensor) {
  const auto path = repository_path("tests/golden/recipes/stock_recipes.json");
  const Json json = parse_json(read_file(path), path.string());
  size_t compared = 0;
  std::set<std::string_view> left;
  for (const BuiltinRecipe& row : builtin_recipes()) left.insert(row.name);
  for (const auto& [model, entry] : json["models"].items()) {
    const ModelShape& shape = kModels.at(model);
    for (const auto& [target, choices] : entry["targets"].items()) {
      const auto words = split(target, '+');
      PlanOptions options;
      options.importance = words.size() > 1;
      const BuiltinRecipe* builtin = find_builtin_recipe(words[0]);
      ASSERT_NE(builtin, nullptr) << target;
      left.erase(builtin->name);
      const Recipe recipe = builtin->parse();
      const auto expected = expected_types(choices, shape.layers);
      std::vector<TensorInfo> tensors;
      for (const auto& [name, type] : expected) tensors.push_back(tensor_of(name, shape));
      for (const PlannedTensor& planned : make_plan(tensors, metadata_of(shape), recipe, options)) {
        const std::string& name = tensors[planned.source_index].name;
        EXPECT_EQ(upper(dtype_name(planned.type)), expected.at(name))
            << model << ", " << target << ", " << name;
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 75000u);
  EXPECT_EQ(left, kNotCompared);
}

TEST(BuiltinRecipes, ArePlannedPureWithTheirBaseType) {
  const Recipe recipe = find_builtin_recipe("Q4_K_M")->parse();
  std::vector<TensorInfo> tensors = {
      tensor_of("output.weight", {}), tensor_of("blk.0.attn_v.weight", {}),
      tensor_of("blk.0.attn_norm.weight", {}), tensor_of("blk.0.ffn_down.weight", {.ffn = 96})};
  PlanOptions pure;
  pure.pure = true;
  const auto plan = make_plan(tensors, metadata_of({}), recipe, pure);
  EXPECT_EQ(plan[0].type, DType::kQ4_K);
  EXPECT_EQ(plan[1].type, DType::kQ4_K);
  EXPECT_EQ(plan[2].type, DType::kF32);
  EXPECT_EQ(plan[3].type, DType::kQ5_0);
  EXPECT_EQ(plan[3].wanted, DType::kQ4_K);
}

}  // namespace
}  // namespace nibble
