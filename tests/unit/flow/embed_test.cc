// Embeddings of tests/golden/embed: what Transformers makes of a few texts is what we make, from
// the directory and from a GGUF of it.
#include "nibble/embed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/json.h"
#include "flow/hf_pooling.h"
#include "flow/model.h"
#include "nibble/generate.h"
#include "nibble/quantize.h"
#include "support/files.h"
#include "support/npy.h"

namespace nibble {
namespace {

const std::filesystem::path kFixtures = repository_path("tests/golden/embed");

LoadOptions one_thread() {
  LoadOptions options;
  options.run.threads = 1;
  return options;
}

double largest_difference(std::span<const float> found, std::span<const float> expected) {
  double largest = found.size() == expected.size() ? 0 : INFINITY;
  for (size_t i = 0; i < std::min(found.size(), expected.size()); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(found[i]) - expected[i]));
  return largest;
}

class EmbedTest : public testing::TestWithParam<std::string> {
 protected:
  std::filesystem::path folder() const { return kFixtures / GetParam(); }
  std::vector<std::string> texts() const { return expected_["texts"]; }
  std::vector<float> all(const Model& model, const EmbedOptions& options) const {
    std::vector<float> values;
    for (const std::string& text : texts()) {
      const Embedding embedding = embed(model, text, options);
      values.insert(values.end(), embedding.values.begin(), embedding.values.end());
    }
    return values;
  }

  const Json expected_ = parse_json(read_file(folder() / "expected.json"), "expected.json");
};

TEST_P(EmbedTest, MakesTheTokensOfTransformers) {
  const Model model(folder(), one_thread());
  const std::vector<std::vector<uint32_t>> ids = expected_["ids"];
  for (size_t i = 0; i < ids.size(); ++i)
    EXPECT_EQ(model.tokenize(texts()[i], true, true), ids[i]) << texts()[i];
}

// Vectors are of length 1, states of about 32 numbers near 1. Measured: at most 1e-6 and 1e-5.
TEST_P(EmbedTest, HasTheVectorsOfTransformers) {
  const Model model(folder(), one_thread());
  EXPECT_EQ(pooling_name(pooling_of(model)), expected_["pooling"].get<std::string>());
  EXPECT_LT(largest_difference(all(model, {}), read_npy(folder() / "embeddings.npy")), 1e-5);
  const EmbedOptions states = {.pooling = Pooling::kNone, .normalize = false};
  EXPECT_LT(largest_difference(all(model, states), read_npy(folder() / "states.npy")), 1e-4);
}

TEST_P(EmbedTest, GivesTheSameBitsFromGguf) {
  const TemporaryFolder temporary;
  quantize(folder(), {{"copy", temporary / "copy.gguf"}, {"q8_0", temporary / "q8_0.gguf"}}, {});
  const Model model(folder(), one_thread()), copy(temporary / "copy.gguf", one_thread());
  EXPECT_TRUE(all(copy, {}) == all(model, {}));
  const Model small(temporary / "q8_0.gguf", one_thread());
  for (const std::string& text : texts()) {
    EXPECT_GT(cosine_similarity(embed(small, text).values, embed(model, text).values), 0.99)
        << text;
  }
}

TEST_P(EmbedTest, PoolsAsAsked) {
  const Model model(folder(), one_thread());
  const auto with = [&](Pooling pooling) {
    return embed(model, "the cat", {.pooling = pooling, .normalize = false}).values;
  };
  const std::vector<float> each = with(Pooling::kNone);
  const auto width = static_cast<ptrdiff_t>(model.parts().config.hidden);
  EXPECT_TRUE(std::equal(each.begin(), each.begin() + width, with(Pooling::kCls).begin()));
  EXPECT_TRUE(std::equal(each.end() - width, each.end(), with(Pooling::kLast).begin()));
  double sum = 0;
  for (auto x = each.begin(); x < each.end(); x += width) sum += *x;
  const auto tokens = static_cast<double>(each.size()) / static_cast<double>(width);
  EXPECT_NEAR(with(Pooling::kMean).front(), sum / tokens, 1e-6);
  const auto one = embed(model, "the cat").values;
  EXPECT_NEAR(cosine_similarity(one, one), 1, 1e-6);
  double squares = 0;
  for (const float x : one) squares += static_cast<double>(x) * x;
  EXPECT_NEAR(squares, 1, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, EmbedTest,
                         testing::Values("bert", "bert_first", "nomic_bert", "nomic_bert_published",
                                         "qwen3"),
                         [](const auto& param) { return param.param; });

TEST(EncoderTest, HasNoNextTokensToTell) {
  const Model model(kFixtures / "bert", one_thread());
  EXPECT_TRUE(fails_with(ErrorCode::kUnsupported, {"bert", "nibble embed"},
                         [&] { generate(model, "a cat"); }));
}

TEST(EncoderTest, RefusesATextThatIsTooLong) {
  const Model model(kFixtures / "bert", one_thread());
  std::string text;
  for (int i = 0; i < 126; ++i) text += "a ";
  EXPECT_EQ(embed(model, text).tokens, 128);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"129 tokens", "at most 128"},
                         [&] { embed(model, text + "a"); }));
}

TEST(PoolingTest, RefusesWhatItDoesNotKnowByName) {
  const TemporaryFolder folder;
  EXPECT_EQ(pooling_of_hf(folder.path()), std::nullopt);
  const auto refuses = [&](ErrorCode code, const char* name) {
    return fails_with(code, {name}, [&] { pooling_of_hf(folder.path()); });
  };
  const auto modules = folder / "modules.json", config = folder / "config.json";
  write_file(modules, R"([{"type": "sentence_transformers.models.Dense"}])");
  EXPECT_TRUE(refuses(ErrorCode::kUnsupported, "models.Dense"));
  write_file(modules, R"([{"type": "models.Pooling", "path": "../x"}])");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, "../x"));
  write_file(modules, R"([{"type": "models.Pooling", "path": ""}])");
  write_file(config, R"({"pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": true})");
  EXPECT_TRUE(refuses(ErrorCode::kUnsupported, "found 2"));
  write_file(config, R"({"pooling_mode_weightedmean_tokens": true})");
  EXPECT_TRUE(refuses(ErrorCode::kUnsupported, "found 1"));
  write_file(config, R"({"pooling_mode_lasttoken": true})");
  EXPECT_EQ(pooling_of_hf(folder.path()), Pooling::kLast);
}

}  // namespace
}  // namespace nibble
