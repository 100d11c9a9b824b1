// Every architecture of tests/golden/arch through the public operations: converted, quantized, read
// again; its numbers are those of the checkpoint (tests/unit/model/arch_test.cc knows these right).
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "flow/memory_model.h"
#include "flow/model.h"
#include "model/forward.h"
#include "nibble/quantize.h"
#include "nibble/verify.h"
#include "support/files.h"

namespace nibble {
namespace {

const std::filesystem::path kFixtures = repository_path("tests/golden/arch");
constexpr int64_t kTokens = 32;

std::vector<std::string> fixtures() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFixtures)) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

class ArchFilesTest : public testing::TestWithParam<std::string> {
 protected:
  ArchFilesTest() {
    std::filesystem::copy(kFixtures / GetParam(), model_);
    for (const char* name : {"tokenizer.json", "tokenizer_config.json"})
      std::filesystem::copy(kFixtures / name, model_ / name);
  }

  // Of all tokens, `step` at a time; `buffers`: what the forward pass then keeps.
  static std::vector<float> logits(const std::filesystem::path& path, size_t step = kTokens,
                                   uint64_t* buffers = nullptr) {
    LoadOptions options;
    options.run.threads = 1;
    const Model model(path, options);
    const Model::Parts& parts = model.parts();
    KvCache cache(parts.config, kTokens, DType::kF16);
    Forward forward(parts.config, *parts.weights, *parts.pool);
    std::vector<uint32_t> tokens;
    for (uint32_t i = 0; i < kTokens; ++i) tokens.push_back((7 * i * i + 3 * i + 1) % 96);
    std::vector<float> all;
    for (size_t at = 0; at < tokens.size(); at += step) {
      const auto count = std::min(step, tokens.size() - at);
      const auto found =
          forward.run(std::span(tokens).subspan(at, count), cache, static_cast<int64_t>(count));
      all.insert(all.end(), found.begin(), found.end());
    }
    if (buffers != nullptr) *buffers = forward.buffer_bytes();
    return all;
  }

  TemporaryFolder folder_;
  std::filesystem::path model_ = folder_ / "model";
};

TEST_P(ArchFilesTest, GivesTheSameBitsFromGguf) {
  QuantizeOptions options;
  options.allow_requantize = true;  // MXFP4
  quantize(model_, {{"copy", folder_ / "copy.gguf"}, {"q8_0", folder_ / "q8_0.gguf"}}, options);
  EXPECT_TRUE(logits(folder_ / "copy.gguf") == logits(model_));
  EXPECT_TRUE(verify(folder_ / "q8_0.gguf", model_).problems.empty());
  if (GetParam() == "bloom_6_heads") return;  // rows of 48 weights are no blocks
  // Interleaved: not even the batch changes a bit.
  const auto whole = logits(folder_ / "q8_0.gguf");
  for (const size_t step : {size_t{1}, size_t{5}, size_t{17}})
    EXPECT_TRUE(logits(folder_ / "q8_0.gguf", step) == whole) << step << " at a time";
}

// Of each expert's tokens the last tile is padded, which adds many columns to so few.
TEST_P(ArchFilesTest, TakesTheMemoryThatIsPredicted) {
  const Model model(model_);
  const Model::Parts& parts = model.parts();
  uint64_t found = 0;
  const auto all = logits(model_, kTokens, &found);
  const uint64_t more_logits = all.size() / kTokens * (kTokens - 1) * sizeof(float);
  const auto expected = static_cast<double>(
      forward_bytes(parts.config, parts.source.tensors().tensors(), kTokens) + more_logits);
  EXPECT_NEAR(expected / static_cast<double>(found), 1, parts.config.experts > 0 ? 0.25 : 0.01);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, ArchFilesTest, testing::ValuesIn(fixtures()),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace nibble
