// Mixtures of experts: who is chosen, what the layers give, and what a checkpoint must hold.
#include "model/experts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/forward_work.h"
#include "support/checkpoint.h"
#include "support/encoded.h"
#include "support/mixtral.h"
#include "support/npy.h"

namespace nibble {
namespace {

struct Chosen {
  std::vector<int64_t> experts;
  std::vector<float> weights;
};

Chosen choose(const std::vector<float>& logits, size_t used) {
  std::vector<ExpertChoice> choices(used);
  choose_experts(logits, choices);
  Chosen chosen;
  for (const auto& [expert, weight] : choices) {
    chosen.experts.push_back(expert);
    chosen.weights.push_back(weight);
  }
  return chosen;
}

using Numbers = std::vector<int64_t>;

TEST(ChooseExperts, TakesTheLargestLogitsBestFirst) {
  EXPECT_EQ(choose({0.5f, -1.0f, 3.0f, 2.0f}, 2).experts, (Numbers{2, 3}));
  EXPECT_EQ(choose({0.5f, -1.0f, 3.0f, 2.0f}, 1).experts, (Numbers{2}));
  EXPECT_EQ(choose({-5.0f, -1.0f, -3.0f}, 3).experts, (Numbers{1, 2, 0}));
}

TEST(ChooseExperts, OfEqualsTakesTheFirst) {
  EXPECT_EQ(choose({1.0f, 1.0f, 1.0f, 1.0f}, 2).experts, (Numbers{0, 1}));
  EXPECT_EQ(choose({0.0f, 2.0f, 1.0f, 2.0f, 1.0f}, 3).experts, (Numbers{1, 3, 2}));
  EXPECT_EQ(choose({0.0f, -0.0f}, 1).experts, (Numbers{0}));
}

TEST(ChooseExperts, WeightsAreTheSoftmaxOverAllScaledToOne) {
  const std::vector<float> logits = {0.3f, -2.0f, 1.7f, 1.1f, -0.4f};
  for (const size_t used : {1u, 2u, 5u}) {
    const Chosen chosen = choose(logits, used);
    double all = 0, of_chosen = 0;
    for (const float l : logits) all += std::exp(l);
    for (const int64_t e : chosen.experts)
      of_chosen += std::exp(logits[static_cast<size_t>(e)]) / all;
    for (size_t i = 0; i < used; ++i) {
      const double share = std::exp(logits[static_cast<size_t>(chosen.experts[i])]) / all;
      EXPECT_NEAR(chosen.weights[i], share / of_chosen, 1e-7) << i << " of " << used;
    }
  }
}

TEST(ChooseExperts, LargeLogitsDoNotOverflow) {
  const Chosen chosen = choose({-3e38f, 3e38f, 0.0f}, 2);
  EXPECT_EQ(chosen.experts, (Numbers{1, 2}));
  EXPECT_EQ(chosen.weights, (std::vector<float>{1.0f, 0.0f}));
}

// Weights that are no numbers make logits that are none: every choice must still be an expert.
TEST(ChooseExperts, ChoosesDifferentExpertsEvenAmongNoNumbers) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(choose({nan, nan, nan}, 2).experts, (Numbers{0, 1}));
  EXPECT_EQ(choose({nan, 1.0f, nan}, 3).experts.size(), 3u);
  for (const int64_t e : choose({1.0f, nan, 2.0f}, 2).experts) EXPECT_LT(e, 3);
}

TEST(ExpertRows, BringsTokensTogetherByExpert) {
  // Three tokens: experts 2 and 0, 2 and 3, 0 and 2.
  const std::vector<ExpertChoice> choices = {{2, 0}, {0, 0}, {2, 0}, {3, 0}, {0, 0}, {2, 0}};
  ExpertRows rows;
  rows.assign(choices, 4);
  EXPECT_EQ(Numbers(rows.ends().begin(), rows.ends().end()), (Numbers{2, 2, 5, 6}));
  EXPECT_EQ(Numbers(rows.rows().begin(), rows.rows().end()), (Numbers{2, 0, 3, 5, 1, 4}));
}

class MixtralTest : public testing::Test {
 protected:
  std::filesystem::path make(const MixtralShape& shape, const std::string& leave_out = "") const {
    write_mixtral(folder_ / "model", shape, leave_out);
    return folder_ / "model";
  }

  TemporaryFolder folder_;
};

// The tokens of tests/golden/mixtral/make_logits.py.
std::vector<uint32_t> golden_tokens(uint32_t vocab = 96) {
  std::vector<uint32_t> tokens;
  for (uint32_t i = 0; i < 24; ++i) tokens.push_back((7 * i * i + 3 * i + 1) % vocab);
  return tokens;
}

TEST_F(MixtralTest, HasTheLogitsOfTransformers) {
  const Checkpoint checkpoint(make({}));
  const auto expected = read_npy(repository_path("tests/golden/mixtral/logits.npy"));
  const auto tokens = golden_tokens();
  ThreadPool pool(2);
  for (const size_t step : {24u, 5u, 1u}) {
    KvCache cache(checkpoint.config, 24, DType::kF32);
    Forward forward(checkpoint.config, checkpoint.weights, pool);
    for (size_t at = 0; at < tokens.size(); at += step) {
      const auto part = std::span(tokens).subspan(at, std::min(step, tokens.size() - at));
      const auto found = forward.run(part, cache, static_cast<int64_t>(part.size()));
      // Both add floats up, in another order; logits reach 8. Measured: 5e-6.
      EXPECT_LT(largest_difference(found, std::span(expected).subspan(at * 96, found.size())),
                5e-5f)
          << "token " << at << ", " << step << " at a time";
    }
  }
}

struct ShapeAndType {
  DType type;
  MixtralShape shape;
};

class InterleavedExperts : public MixtralTest, public testing::WithParamInterface<ShapeAndType> {};

TEST_P(InterleavedExperts, NoCutOfATextChangesABit) {
  const Checkpoint checkpoint(make(GetParam().shape));
  const Encoded source(checkpoint.tensors, GetParam().type, false);
  Weights weights(source, checkpoint.config);
  ThreadPool pool(2);
  weights.interleave(source, pool);
  const auto text = golden_tokens();
  const auto whole = logits_by(checkpoint.config, weights, text, text.size(), 1);
  for (const size_t step : {1u, 2u, 3u, 5u, 13u}) {
    EXPECT_EQ(logits_by(checkpoint.config, weights, text, step, 2), whole) << step << " at a time";
  }
  EXPECT_EQ(logits_by(checkpoint.config, weights, text, text.size(), 3), whole);
}

// The same weights as rows: sums in another order, so that activations now and then fall to the
// next of their 255 steps. Measured: 0.1; logits reach 10, and those of other matrices are that far
// away.
TEST_P(InterleavedExperts, AreTheSameMatrices) {
  const Checkpoint checkpoint(make(GetParam().shape));
  const Encoded source(checkpoint.tensors, GetParam().type, false);
  const Weights rows(source, checkpoint.config);
  Weights interleaved(source, checkpoint.config);
  ThreadPool pool(2);
  interleaved.interleave(source, pool);
  const auto text = golden_tokens();
  const auto expected = logits_by(checkpoint.config, rows, text, 1, 1);
  const auto found = logits_by(checkpoint.config, interleaved, text, 1, 1);
  EXPECT_LT(largest_difference(found, expected), 0.3f);
}

// Experts whose rows fill no last panel, all experts used, more experts than tokens.
INSTANTIATE_TEST_SUITE_P(
    Formats, InterleavedExperts,
    testing::Values(ShapeAndType{DType::kQ8_0, {}},
                    ShapeAndType{DType::kQ8_0, {.hidden = 96, .ffn = 224, .experts = 5, .used = 5}},
                    ShapeAndType{DType::kQ4_0, {.ffn = 32, .layers = 1, .experts = 40, .used = 3}},
                    ShapeAndType{DType::kQ4_K, {.hidden = 256, .ffn = 256, .experts = 3}}),
    [](const auto& param) {
      return std::string(dtype_name(param.param.type)) + "_" +
             std::to_string(param.param.shape.used) + "_of_" +
             std::to_string(param.param.shape.experts);
    });

// Weights of a layer's experts and of its other matrices, without the router.
TEST_F(MixtralTest, WorkIsThatOfTheChosenExperts) {
  const Checkpoint checkpoint(make({}));
  const auto work = [&](int64_t tokens) {
    return forward_work(checkpoint.config, checkpoint.weights, DType::kF16, 0, tokens, 0);
  };
  const int64_t expert = 3 * 64 * 96, attention = 64 * (64 + 32 + 32 + 64), layers = 2;
  EXPECT_EQ(work(1).float_products, layers * (attention + 2 * expert));
  EXPECT_EQ(work(10).float_products, 10 * layers * (attention + 2 * expert));
  const auto cached = [](int64_t tokens) { return tokens * (tokens + 1) / 2 * 2 * 2 * 32 * 2; };
  EXPECT_EQ(work(1).read_bytes, 2 * layers * (attention + 2 * expert) + cached(1));
  EXPECT_EQ(work(10).read_bytes, 2 * layers * (attention + 4 * expert) + cached(10));
}

TEST_F(MixtralTest, StacksTheExpertsMatrices) {
  const MixtralShape shape = {.layers = 1, .experts = 3};
  const Checkpoint checkpoint(make(shape));
  const auto& tensors = checkpoint.tensors.tensors();
  const auto down =
      std::ranges::find(tensors, "blk.0.ffn_down_exps.weight", &TensorInfo::name) - tensors.begin();
  const TensorInfo& info = tensors[static_cast<size_t>(down)];
  EXPECT_EQ(info.shape, (Shape{{96, 64, 3, 1}, 3}));
  EXPECT_TRUE(checkpoint.tensors.view(static_cast<size_t>(down)).empty());
  const auto& stored = checkpoint.directory.tensors();
  for (uint64_t e = 0; e < 3; ++e) {
    const std::string name =
        "model.layers.0.block_sparse_moe.experts." + std::to_string(e) + ".w2.weight";
    const auto at =
        static_cast<size_t>(std::ranges::find(stored, name, &TensorInfo::name) - stored.begin());
    const auto expected = checkpoint.directory.view(at);
    EXPECT_EQ(checkpoint.tensors.view_rows(static_cast<size_t>(down), 64 * e, 64).data(),
              expected.data());
    std::vector<std::byte> rows(10 * info.row_bytes());
    checkpoint.tensors.read_rows(static_cast<size_t>(down), 64 * e + 54, 10, rows);
    EXPECT_TRUE(std::ranges::equal(rows, expected.last(rows.size()))) << e;
  }
  // Across the border of two experts.
  std::vector<std::byte> across(4 * info.row_bytes()), apart(across);
  checkpoint.tensors.read_rows(static_cast<size_t>(down), 62, 4, across);
  checkpoint.tensors.read_rows(static_cast<size_t>(down), 62, 2, std::span(apart).first(2 * 192));
  checkpoint.tensors.read_rows(static_cast<size_t>(down), 64, 2, std::span(apart).last(2 * 192));
  EXPECT_EQ(across, apart);
}

TEST_F(MixtralTest, NamesWhatIsMissing) {
  EXPECT_TRUE(fails_with(
      ErrorCode::kInvalidFile,
      {"/model: ", "blk.1.ffn_up_exps.weight", "3 experts", "number 3", "expected 4"},
      [&] { Checkpoint(make({}, "model.layers.1.block_sparse_moe.experts.2.w3.weight")); }));
  const Checkpoint checkpoint(make({}, "model.layers.1.block_sparse_moe.gate.weight"));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"here", "blk.1.ffn_gate_inp.weight", "missing"},
                         [&] { check_tensors(checkpoint.tensors, checkpoint.config, "here"); }));
}

TEST_F(MixtralTest, RefusesShapesThatAreNotTheConfigs) {
  const Checkpoint checkpoint(make({}));
  const auto is_refused = [&](int64_t ModelConfig::*field, int64_t value,
                              const std::vector<std::string>& fragments) {
    ModelConfig config = checkpoint.config;
    config.*field = value;
    return fails_with(ErrorCode::kInvalidFile, fragments,
                      [&] { check_tensors(checkpoint.tensors, config, "here"); });
  };
  EXPECT_TRUE(is_refused(&ModelConfig::experts, 5,
                         {"here", "blk.0.ffn_gate_inp.weight", "64 columns x 4 rows", "64 x 5"}));
  EXPECT_TRUE(is_refused(&ModelConfig::expert_ffn, 128,
                         {"blk.0.ffn_gate_exps.weight", "64 x 96 x 4", "64 x 128 x 4"}));
  EXPECT_TRUE(is_refused(&ModelConfig::experts, 0, {"ffn_gate_inp.weight", "no place"}));
}

// Experts that differ, or are numbered past the config's count.
TEST_F(MixtralTest, RefusesExpertsThatDoNotStack) {
  const auto folder = make({});
  std::string bytes = read_file(folder / "model.safetensors");
  const std::string name = "experts.3.w1";
  write_file(folder / "model.safetensors",
             std::string(bytes).replace(bytes.find(name), name.size(), "experts.4.w1"));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"ffn_gate_exps", "4 experts", "number 4"},
                         [&] { Checkpoint{folder}; }));
  const auto shape = bytes.find("[96,64]", bytes.find(name));
  write_file(folder / "model.safetensors", bytes.replace(shape, 7, "[64,96]"));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {name, "96 x 64", "64 x 96"},
                         [&] { Checkpoint{folder}; }));
}

TEST(MixtralConfig, RefusesNumbersOfExpertsThatCannotBe) {
  Metadata good;
  good.set_origin("model.gguf");
  const Json json = parse_json(mixtral_config({}).dump(), "config.json");
  const JsonObject object(json, "config.json");
  good = metadata_from_hf_config(arch_from_hf_config(object), object, "test");
  EXPECT_EQ(config_from_metadata(good).experts, 4);
  EXPECT_EQ(config_from_metadata(good).experts_used, 2);
  struct Case {
    uint32_t count, used;
    std::vector<std::string> message;
  };
  for (const auto& [count, used, message] :
       std::vector<Case>{{4, 5, {"llama.expert_used_count", "found 5", "1 to 4"}},
                         {4, 0, {"llama.expert_used_count", "found 0", "1 to 4"}},
                         {1u << 30, 2, {"llama.expert_count", "1073741824", "1 to 4096"}},
                         {0, 2, {"llama.expert_used_count", "found 2", "llama.expert_count"}}}) {
    Metadata metadata = good;
    metadata.set("llama.expert_count", count);
    metadata.set("llama.expert_used_count", used);
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, message,
                           [&metadata = metadata] { config_from_metadata(metadata); }))
        << used << " of " << count;
  }
}

TEST(MixtralConfig, IsALlamaWithExperts) {
  Json json = mixtral_config({});
  json.erase("architectures");
  const Json read = parse_json(json.dump(), "config.json");
  const JsonObject object(read, "config.json");
  EXPECT_EQ(arch_from_hf_config(object).name, "llama");
}

}  // namespace
}  // namespace nibble
