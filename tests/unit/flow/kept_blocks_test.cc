// Checkpoints of NVFP4 and MXFP4: what is wanted in that type keeps its bits.
#include <gtest/gtest.h>

#include <algorithm>

#include "file/gguf.h"
#include "flow/model_source.h"
#include "nibble/quantize.h"
#include "nibble/verify.h"
#include "support/checkpoints.h"
#include "support/files.h"

namespace nibble {
namespace {

class KeptBlocksTest : public testing::TestWithParam<const char*> {
 protected:
  KeptBlocksTest() {
    const auto fixtures = repository_path("tests/golden/arch");
    std::filesystem::copy(fixtures / GetParam(), model_);
    for (const char* name : {"tokenizer.json", "tokenizer_config.json"})
      std::filesystem::copy(fixtures / name, model_ / name);
  }
  static std::vector<std::byte> bytes_of(const TensorSource& source, size_t tensor) {
    std::vector<std::byte> bytes(source.tensors()[tensor].bytes());
    source.read_rows(tensor, 0, source.tensors()[tensor].shape.rows(), bytes);
    return bytes;
  }
  static bool is_nvfp4() { return GetParam() != std::string("llama_mxfp4"); }
  static std::string type() { return is_nvfp4() ? "nvfp4" : "mxfp4"; }
  // A recipe of that type alone.
  std::string recipe() const {
    const auto path = folder_ / "all.recipe";
    write_file(path, "all " + type() + "\n");
    return path.string();
  }
  static size_t count_scales(const TensorSource& source) {
    return static_cast<size_t>(std::ranges::count_if(
        source.tensors(), [](const auto& tensor) { return tensor.name.ends_with(".scale"); }));
  }

  TemporaryFolder folder_;
  std::filesystem::path model_ = folder_ / "model";
};

TEST_P(KeptBlocksTest, KeepTheirBits) {
  const ModelSource source = open_model(model_);
  EXPECT_EQ(count_scales(source.tensors()) > 0, is_nvfp4());
  for (const std::string& asked : {std::string("copy"), recipe()}) {
    const auto path = folder_ / "kept.gguf";
    quantize(model_, {{asked, path}});
    const GgufFile file(path);
    size_t compared = 0;
    for (size_t i = 0; i < file.tensors().size(); ++i) {
      const TensorInfo& tensor = file.tensors()[i];
      const auto found =
          std::ranges::find(source.tensors().tensors(), tensor.name, &TensorInfo::name);
      ASSERT_NE(found, source.tensors().tensors().end()) << tensor.name;
      if (dtype_name(found->type) != type()) continue;
      EXPECT_EQ(tensor.type, found->type) << tensor.name;
      const auto index = static_cast<size_t>(found - source.tensors().tensors().begin());
      EXPECT_EQ(bytes_of(file, i), bytes_of(source.tensors(), index)) << tensor.name;
      ++compared;
    }
    EXPECT_EQ(count_scales(file), is_nvfp4() ? compared : 0u) << asked;
    EXPECT_GE(compared, 7u) << asked;
  }
}

TEST_P(KeptBlocksTest, HoldTheWeightsThatOtherTypesAreMadeOf) {
  quantize(model_, {{"copy", folder_ / "copy.gguf"}, {"f32", folder_ / "f32.gguf"}});
  const GgufFile kept(folder_ / "copy.gguf"), floats(folder_ / "f32.gguf");
  EXPECT_EQ(count_scales(floats), 0u);
  for (const TensorInfo& tensor : floats.tensors()) {
    const auto expected = decode_tensor(floats, tensor.name);
    const auto found = decode_tensor(kept, tensor.name);
    const std::string stem = tensor.name.substr(0, tensor.name.rfind('.'));
    auto scales = decode_tensor(kept, stem + ".scale");
    if (scales.empty()) scales = {1.0f};
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) {
      const float scale = scales[i / (found.size() / scales.size())];
      ASSERT_NEAR(found[i] * scale, expected[i], std::abs(expected[i]) * 3e-7) << tensor.name;
    }
  }
}

// Written in one call, though they see different tensors; all can be checked.
TEST_P(KeptBlocksTest, StandBesideOutputsThatHaveNone) {
  const std::vector<QuantizeTarget> targets = {{recipe(), folder_ / "kept.gguf"},
                                               {"q8_0", folder_ / "q8_0.gguf"}};
  const auto result = quantize(model_, targets);
  ASSERT_EQ(result.files.size(), 2u);
  EXPECT_EQ(result.files[0].path, targets[0].path);
  EXPECT_EQ(result.files[1].path, targets[1].path);
  for (const QuantizeTarget& target : targets)
    EXPECT_TRUE(verify(target.path, model_).problems.empty()) << target.type;
  EXPECT_EQ(count_scales(GgufFile(targets[0].path)) > 0, is_nvfp4());
  EXPECT_EQ(count_scales(GgufFile(targets[1].path)), 0u);
}

TEST_P(KeptBlocksTest, GoWithTheirLayers) {
  QuantizeOptions options;
  if (GetParam() == std::string("mixtral_nvfp4")) return;  // of one layer
  options.prune_layers = {0};
  quantize(model_, {{recipe(), folder_ / "pruned.gguf"}, {"q8_0", folder_ / "pruned8.gguf"}},
           options);
  EXPECT_TRUE(verify(folder_ / "pruned.gguf", model_).problems.empty());
  EXPECT_TRUE(verify(folder_ / "pruned8.gguf", model_).problems.empty());
  const GgufFile file(folder_ / "pruned.gguf");
  EXPECT_EQ(count_scales(file), is_nvfp4() ? 8u : 0u);  // of the output and a layer
}

INSTANTIATE_TEST_SUITE_P(Fixtures, KeptBlocksTest,
                         testing::Values("llama_mxfp4", "llama_nvfp4", "mixtral_nvfp4"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace nibble
