#include "nibble/layers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "nibble/quantize.h"
#include "support/files.h"

namespace nibble {
namespace {

constexpr LayerOptions kShort = {.context = 64, .windows = 2};

std::string evaluation_text() {
  return read_file(repository_path("assets/lab-7m-text/evaluation.txt"));
}

LayerView view_of(const std::string& type, const RunOptions& run = {}) {
  LoadOptions load;
  load.run = run;
  load.type = type;
  return compare_layers(Model(kLab7m, load), Model(kLab7m), evaluation_text(), kShort, run);
}

TEST(Layers, AreTheReferencesOwnWhenNothingWasQuantized) {
  const LayerView view = view_of("");
  ASSERT_EQ(view.layers.size(), 6u);
  EXPECT_EQ(view.tokens, 128);
  for (const LayerDifference& layer : view.layers) {
    EXPECT_EQ(layer.relative_error, 0) << layer.layer;
    EXPECT_NEAR(layer.cosine, 1, 1e-12) << layer.layer;
  }
  for (const TensorDifference& tensor : view.tensors)
    EXPECT_EQ(tensor.relative_error, 0) << tensor.name;
}

TEST(Layers, LoseMoreWithFewerBits) {
  const LayerView many = view_of("q8_0"), few = view_of("q4_0");
  for (size_t i = 0; i < many.layers.size(); ++i) {
    EXPECT_GT(many.layers[i].relative_error, 0);
    EXPECT_GT(few.layers[i].relative_error, 4 * many.layers[i].relative_error) << i;
    EXPECT_LT(few.layers[i].cosine, many.layers[i].cosine) << i;
  }
  ASSERT_EQ(many.tensors.size(), few.tensors.size());
  for (size_t i = 0; i < many.tensors.size(); ++i) {
    const TensorDifference &a = many.tensors[i], &b = few.tensors[i];
    if (a.type == b.type) continue;
    EXPECT_GT(b.relative_error, 2 * a.relative_error) << a.name;
    EXPECT_LT(b.bytes, a.bytes) << a.name;
    EXPECT_EQ(std::isnan(a.weighted_error), a.name == "token_embd.weight") << a.name;
  }
}

TEST(Layers, DoNotDependOnTheNumberOfThreads) {
  RunOptions one, two;
  one.threads = 1;
  two.threads = 2;
  const LayerView a = view_of("q4_0", one), b = view_of("q4_0", two);
  for (size_t i = 0; i < a.layers.size(); ++i) {
    EXPECT_EQ(a.layers[i].relative_error, b.layers[i].relative_error);
    EXPECT_EQ(a.layers[i].cosine, b.layers[i].cosine);
  }
  for (size_t i = 0; i < a.tensors.size(); ++i)
    EXPECT_EQ(a.tensors[i].relative_error, b.tensors[i].relative_error);
}

// What Python's gguf decodes llama.cpp's files to, beside the float model (tests/golden/README.md
// of the figures' origin: stock_lab7m.json). Its importance matrix is of another text of the same
// kind: weights of columns differ by some percent, errors by less.
TEST(Layers, ErrorsOfLlamaCppsTensorsAreThoseMeasuredInPython) {
  const auto shared = shared_path("golden/stock_lab7m.json");
  NIBBLE_REQUIRE_SHARED(shared);
  const auto golden = nlohmann::json::parse(read_file(shared))["types"]["Q4_K_M"]["tensors"];
  const LayerView view =
      compare_layers(Model(shared_path("models/lab-7m-stock/Q4_K_M.gguf")), Model(kLab7m),
                     evaluation_text(), {.context = 256, .windows = 8});
  size_t compared = 0;
  for (const TensorDifference& tensor : view.tensors) {
    if (!golden.contains(tensor.name)) continue;
    const auto& expected = golden[tensor.name];
    EXPECT_NEAR(tensor.relative_error / expected["relative_rmse"].get<double>(), 1, 1e-5)
        << tensor.name;
    ++compared;
    if (!expected.contains("importance_weighted_relative_rmse")) continue;
    const double weighted = expected["importance_weighted_relative_rmse"].get<double>();
    EXPECT_NEAR(tensor.weighted_error / weighted, 1, 0.15) << tensor.name;
  }
  EXPECT_EQ(compared, 44u);
}

TEST(Layers, RefuseModelsOfAnotherShapeAndTextsThatAreTooShort) {
  const TemporaryFolder folder;
  const Model model(kLab7m);
  QuantizeOptions options;
  options.prune_layers = {1};
  quantize(kLab7m, {{"q8_0", folder / "pruned.gguf"}}, options);
  const Model pruned(folder / "pruned.gguf");
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"has 6 layers", "has 5"},
                         [&] { compare_layers(pruned, model, evaluation_text(), kShort); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"less than one window of 64"},
                         [&] { compare_layers(model, model, "Once", kShort); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"context of 1"},
                         [&] { compare_layers(model, model, evaluation_text(), {.context = 1}); }));
}

}  // namespace
}  // namespace nibble
