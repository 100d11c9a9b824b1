// config.json to metadata to ModelConfig, RoPE scaling, names and the order of q and k rows.
#include "model/hf_config.h"
#include "model/hf_rope.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "codec/formats.h"
#include "model/config.h"
#include "model/renamed.h"
#include "support/files.h"

namespace nibble {
namespace {

Json llama_config() {
  return Json{{"architectures", {"LlamaForCausalLM"}},
              {"hidden_size", 64},
              {"intermediate_size", 128},
              {"num_hidden_layers", 2},
              {"num_attention_heads", 4},
              {"num_key_value_heads", 2},
              {"vocab_size", 100},
              {"max_position_embeddings", 512},
              {"rms_norm_eps", 1e-6}};
}

ModelConfig config_of(const Json& json) {
  const Json read = parse_json(json.dump(), "config.json");  // numbers as a file has them
  const JsonObject object(read, "config.json");
  return config_from_metadata(metadata_from_hf_config(arch_from_hf_config(object), object, "test"));
}

TEST(HfConfig, BecomesTheModelsNumbers) {
  const ModelConfig config = config_of(llama_config());
  EXPECT_EQ(config.arch->name, "llama");
  EXPECT_EQ(config.layers, 2);
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_EQ(config.q_width(), 64);
  EXPECT_EQ(config.kv_width(), 32);
  EXPECT_EQ(config.rope_dimensions, 16);
  EXPECT_EQ(config.rope_base, 10000.0);
  EXPECT_EQ(config.rope_scaling.position_scale, 1.0);
  EXPECT_FLOAT_EQ(config.epsilon, 1e-6f);
}

TEST(HfConfig, HeadsMayBeWiderThanTheHiddenSizeAllows) {
  Json json = llama_config();
  json["head_dim"] = 32;
  const ModelConfig config = config_of(json);
  EXPECT_EQ(config.q_width(), 128);
  EXPECT_EQ(config.rope_dimensions, 32);
}

TEST(HfConfig, QueryHeadsShareTheirKeysWhenNothingElseIsSaid) {
  Json json = llama_config();
  json.erase("num_key_value_heads");
  EXPECT_EQ(config_of(json).kv_heads, 4);
}

TEST(RopeScaling, LinearDividesPositions) {
  Json json = llama_config();
  json["rope_scaling"] = {{"type", "linear"}, {"factor", 4.0}};
  EXPECT_EQ(config_of(json).rope_scaling.position_scale, 0.25);
}

TEST(RopeScaling, Llama3StretchesLongWavelengthsOnly) {
  // Llama 3.1: 128 elements a head, theta 500000. Expected values computed from the published
  // formula in Python: pairs of wavelength below 8192 / 4 keep their frequency, above 8192 they
  // slow down by 8, blended between.
  Json json = llama_config();
  json["head_dim"] = 128;
  json["rope_theta"] = 500000.0;
  json["rope_scaling"] = {{"rope_type", "llama3"},
                          {"factor", 8.0},
                          {"low_freq_factor", 1.0},
                          {"high_freq_factor", 4.0},
                          {"original_max_position_embeddings", 8192}};
  const Json read = parse_json(json.dump(), "config.json");
  const auto made = rope_tensors(JsonObject(read, "config.json"), 128);
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0].first, Role::kRopeFreqs);
  const auto& factors = made[0].second;
  ASSERT_EQ(factors.size(), 64u);
  EXPECT_EQ(factors[0], 1.0f);
  EXPECT_EQ(factors[28], 1.0f);
  EXPECT_NEAR(factors[29], 1.2075, 1e-3);
  EXPECT_NEAR(factors[32], 2.6945, 1e-3);
  EXPECT_NEAR(factors[34], 5.2573, 1e-3);
  EXPECT_EQ(factors[35], 8.0f);
  EXPECT_EQ(factors[63], 8.0f);
  EXPECT_EQ(config_of(json).rope_scaling.position_scale, 1.0);
}

TEST(RopeScaling, OtherKindsAreRefusedByName) {
  Json json = llama_config();
  json["rope_scaling"] = {{"rope_type", "bent"}, {"factor", 4.0}};
  EXPECT_TRUE(fails_with(ErrorCode::kUnsupported, {"config.json", "bent", "linear"},
                         [&] { config_of(json); }));
}

TEST(HfConfig, RefusesWhatCannotBeExpressed) {
  struct Case {
    const char* key;
    Json value;
    ErrorCode code;
    std::vector<std::string> message;
  };
  const std::vector<Case> cases = {
      {"hidden_act", "gelu", ErrorCode::kUnsupported, {"hidden_act", "gelu"}},
      {"num_attention_heads", 5, ErrorCode::kInvalidFile, {"64", "5"}},
      {"num_key_value_heads", 3, ErrorCode::kInvalidFile, {"4 query heads", "3 key-value heads"}},
      {"num_hidden_layers", 100000, ErrorCode::kInvalidFile, {"block_count", "100000"}},
      {"hidden_size", "64", ErrorCode::kInvalidFile, {"hidden_size", "integer"}},
      {"hidden_size", uint64_t{1} << 40, ErrorCode::kInvalidFile, {"hidden_size", "1099511627776"}},
      {"rms_norm_eps", 0.0, ErrorCode::kInvalidFile, {"layer_norm_rms_epsilon", "above 0"}},
      {"rms_norm_eps", nullptr, ErrorCode::kInvalidFile, {"rms_norm_eps", "missing"}},
      {"rope_theta", -1.0, ErrorCode::kInvalidFile, {"freq_base", "-1"}},
      {"architectures", {"Other"}, ErrorCode::kUnsupported, {"Other", "llama"}},
      {"head_dim", 15, ErrorCode::kInvalidFile, {"15 RoPE dimensions", "even"}},
  };
  for (const auto& [key, value, code, message] : cases) {
    Json json = llama_config();
    json[key] = value;
    EXPECT_TRUE(fails_with(code, message, [&] { config_of(json); })) << key << ": " << value;
  }
}

// Tensors of one row per value: row r holds the number r.
class Numbered final : public TensorSource {
 public:
  void add(const std::string& name, uint64_t rows) {
    tensors_.push_back({name, DType::kF32, Shape{{1, rows, 1, 1}, 2}});
  }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  void read_rows(size_t, uint64_t first, uint64_t count, std::span<std::byte> out) const override {
    for (uint64_t i = 0; i < count; ++i) {
      const auto value = static_cast<float>(first + i);
      std::memcpy(out.data() + 4 * i, &value, 4);
    }
  }
  std::span<const std::byte> view(size_t) const override { return {}; }

 private:
  std::vector<TensorInfo> tensors_;
};

std::vector<float> rows_of(const TensorSource& source, size_t tensor) {
  std::vector<float> rows(source.tensors()[tensor].shape.rows());
  source.read_rows(tensor, 0, rows.size(), std::as_writable_bytes(std::span(rows)));
  return rows;
}

TEST(Renamed, ReordersTheRowsOfQueriesAndKeysPerHead) {
  Numbered source;
  source.add("model.layers.0.self_attn.q_proj.weight", 12);
  source.add("model.layers.0.self_attn.k_proj.weight", 6);
  source.add("model.layers.0.self_attn.v_proj.weight", 6);
  const Renamed renamed(source, *find_arch("llama"),
                        {.heads = 2, .kv_heads = 1, .tied_output = false});
  ASSERT_EQ(renamed.tensors()[0].name, "blk.0.attn_q.weight");
  EXPECT_EQ(rows_of(renamed, 0), (std::vector<float>{0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11}));
  EXPECT_EQ(rows_of(renamed, 1), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(rows_of(renamed, 2), (std::vector<float>{0, 1, 2, 3, 4, 5}));
}

TEST(Renamed, OrdersByLayerAndMakesRopeFactors) {
  Numbered source;
  source.add("model.layers.10.mlp.up_proj.weight", 2);
  source.add("model.layers.2.mlp.up_proj.weight", 2);
  source.add("lm_head.weight", 2);
  source.add("model.layers.2.self_attn.rotary_emb.inv_freq", 2);
  const Renamed renamed(
      source, *find_arch("llama"),
      {.heads = 1, .kv_heads = 1, .tied_output = true, .made = {{Role::kRopeFreqs, {5, 6}}}});
  std::vector<std::string> names;
  for (const auto& tensor : renamed.tensors()) names.push_back(tensor.name);
  EXPECT_EQ(names, (std::vector<std::string>{"rope_freqs.weight", "blk.2.ffn_up.weight",
                                             "blk.10.ffn_up.weight"}));
  std::vector<float> factors(2);
  renamed.read_rows(0, 0, 1, std::as_writable_bytes(std::span(factors)));
  EXPECT_EQ(factors, (std::vector<float>{5, 6}));
}

TEST(Renamed, NamesATensorThatHasNoPlace) {
  Numbered source;
  source.add("model.layers.0.self_attn.rel_proj.weight", 2);
  EXPECT_TRUE(fails_with(ErrorCode::kUnsupported, {"rel_proj", "llama"}, [&] {
    Renamed(source, *find_arch("llama"), {.heads = 1, .kv_heads = 1, .tied_output = false});
  }));
}

TEST(Roles, NamesGoBothWays) {
  for (const RoleRow& row : kRoles) {
    const TensorPlace place = {row.role, row.per_layer ? uint64_t{31} : 0};
    EXPECT_EQ(place_from_gguf_name(gguf_name(place)), place) << row.name;
    EXPECT_EQ(&role_row(row.role), &row);
  }
  EXPECT_EQ(places_from_hf_name("model.layers.7.mlp.down_proj.weight"),
            (std::vector<CheckpointPlace>{{{Role::kFfnDown, 7}}}));
  for (const char* name :
       {"blk.x.attn_q.weight", "blk.1.attn_q", "attn_q.weight", "blk.1.output.weight",
        "blk..weight", "blk.99999999999.attn_q.weight", ".weight", ""}) {
    EXPECT_FALSE(place_from_gguf_name(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace nibble
