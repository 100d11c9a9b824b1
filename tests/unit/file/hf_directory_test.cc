#include "file/hf_directory.h"

#include <gtest/gtest.h>

#include "support/checkpoints.h"
#include "support/files.h"
#include "unit/file/raw_safetensors.h"

namespace nibble {
namespace {

// A folder with the least that a model has: config.json and model.safetensors.
class HfDirectoryTest : public testing::Test {
 protected:
  HfDirectoryTest() {
    write("config.json", R"({"model_type":"llama","hidden_size":64})");
    write("model.safetensors", small_safetensors().build());
  }
  void write(std::string_view name, std::string_view text) { write_file(folder_ / name, text); }
  void remove(std::string_view name) { std::filesystem::remove(folder_ / name); }
  testing::AssertionResult refuses(ErrorCode code, const std::vector<std::string>& fragments) {
    return refuses_to_open(folder_.path(), code, fragments);
  }
  static testing::AssertionResult refuses_to_open(const std::filesystem::path& path, ErrorCode code,
                                                  const std::vector<std::string>& fragments) {
    return fails_with(code, fragments, [&] { HfDirectory directory(path); });
  }

  TemporaryFolder folder_;
};

TEST_F(HfDirectoryTest, HoldsConfigAndTensors) {
  const HfDirectory directory(folder_.path());
  EXPECT_EQ(directory.folder(), folder_.path());
  EXPECT_EQ(directory.config().require_uint("hidden_size"), 64u);
  EXPECT_EQ(directory.generation_config(), nullptr);
  EXPECT_EQ(directory.tensors().size(), 2u);
  EXPECT_EQ(directory.view(0).size(), 24u);
}

TEST_F(HfDirectoryTest, IsOpenedByItsWeightsToo) {
  const HfDirectory directory(folder_ / "model.safetensors");
  EXPECT_EQ(directory.config().require_string("model_type"), "llama");
  EXPECT_EQ(directory.tensors().size(), 2u);
}

TEST_F(HfDirectoryTest, ReadsTheGenerationConfig) {
  write("generation_config.json", R"({"temperature":0.5})");
  const HfDirectory directory(folder_.path());
  ASSERT_NE(directory.generation_config(), nullptr);
  EXPECT_EQ(directory.generation_config()->require_float("temperature"), 0.5);
}

TEST_F(HfDirectoryTest, ReadsTextsWhenTheyAreThere) {
  write("tokenizer.json", "{}");
  const HfDirectory directory(folder_.path());
  EXPECT_EQ(find_text_file(directory.folder() / "tokenizer.json"), "{}");
  EXPECT_EQ(find_text_file(directory.folder() / "tokenizer.model"), std::nullopt);
}

TEST_F(HfDirectoryTest, TakesTheShardsOfAnIndex) {
  std::filesystem::rename(folder_ / "model.safetensors",
                          folder_ / "model-00001-of-00001.safetensors");
  write("model.safetensors.index.json",
        R"({"weight_map":{"up.weight":"model-00001-of-00001.safetensors",)"
        R"("norm.weight":"model-00001-of-00001.safetensors"}})");
  EXPECT_EQ(HfDirectory(folder_.path()).tensors().size(), 2u);
  EXPECT_TRUE(refuses_to_open(folder_ / "model-00001-of-00001.safetensors", ErrorCode::kUsage,
                              {"open the folder"}));
}

TEST_F(HfDirectoryTest, TakesTheOnlySafetensorsFile) {
  std::filesystem::rename(folder_ / "model.safetensors", folder_ / "weights.safetensors");
  EXPECT_EQ(HfDirectory(folder_.path()).tensors().size(), 2u);
}

TEST_F(HfDirectoryTest, DoesNotGuessAmongSeveralFiles) {
  std::filesystem::rename(folder_ / "model.safetensors", folder_ / "a.safetensors");
  write("b.safetensors", small_safetensors().build());
  EXPECT_TRUE(refuses(ErrorCode::kNotFound,
                      {"2 .safetensors files", "a.safetensors", "model.safetensors.index.json"}));
}

TEST_F(HfDirectoryTest, SaysWhatIsMissing) {
  EXPECT_TRUE(
      refuses_to_open(folder_ / "none", ErrorCode::kNotFound, {"none", "no such file or folder"}));
  remove("model.safetensors");
  EXPECT_TRUE(refuses(ErrorCode::kNotFound, {folder_.path().string(), "no weights", "download"}));
  remove("config.json");
  EXPECT_TRUE(refuses(ErrorCode::kNotFound, {"config.json", "missing", "download"}));
}

TEST_F(HfDirectoryTest, TakesPyTorchsWeightsWhereThereAreNoOthers) {
  std::filesystem::copy(checkpoint_path("torch_zip") / "pytorch_model.bin",
                        folder_ / "pytorch_model.bin");
  EXPECT_EQ(HfDirectory(folder_.path()).tensors().size(), 2u);  // those of model.safetensors
  remove("model.safetensors");
  write("training_args.bin", "PK");
  EXPECT_EQ(HfDirectory(folder_.path()).tensors().size(), 11u);
  EXPECT_EQ(HfDirectory(folder_ / "pytorch_model.bin").tensors().size(), 11u);
  std::filesystem::rename(folder_ / "pytorch_model.bin", folder_ / "consolidated.00.pth");
  remove("training_args.bin");
  EXPECT_EQ(HfDirectory(folder_.path()).tensors().size(), 11u);
  write("consolidated.01.pth", "PK");
  EXPECT_TRUE(refuses(ErrorCode::kNotFound, {"2 .pth files", "name one file"}));
}

TEST_F(HfDirectoryTest, ChecksTheIndexOfPyTorchsWeights) {
  remove("model.safetensors");
  write("pytorch_model.bin.index.json", R"({"weight_map":{"a":"../x.bin"}})");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {"../x.bin", ".bin file in the same folder"}));
  write("pytorch_model.bin.index.json", R"({"weight_map":{"a":"pytorch_model-1-of-1.bin"}})");
  EXPECT_TRUE(refuses(ErrorCode::kNotFound, {"pytorch_model-1-of-1.bin", "missing"}));
}

TEST_F(HfDirectoryTest, PointsToAGgufFile) {
  remove("model.safetensors");
  write("model-q4.gguf", "GGUF");
  EXPECT_TRUE(refuses(ErrorCode::kNotFound, {"model-q4.gguf", "by its own name"}));
  remove("config.json");
  EXPECT_TRUE(refuses(ErrorCode::kNotFound, {"model-q4.gguf", "by its own name"}));
}

TEST_F(HfDirectoryTest, RefusesAFileOfAnotherKind) {
  write("README.md", "#");
  EXPECT_TRUE(refuses_to_open(folder_ / "README.md", ErrorCode::kUnsupported, {"README.md"}));
}

TEST_F(HfDirectoryTest, RefusesADamagedConfig) {
  write("config.json", "{");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {"config.json", "not valid JSON"}));
  write("config.json", "[]");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {"config.json", "expected an object"}));
  write("config.json", "{}");
  write("generation_config.json", "7");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {"generation_config.json", "expected an object"}));
}

TEST(HfDirectory, OpensTheBundledModel) {
  const HfDirectory directory(kLab7m);
  EXPECT_EQ(directory.tensors().size(), 57u);
  EXPECT_EQ(directory.config().require_uint("vocab_size"), 4096u);
  EXPECT_TRUE(find_text_file(directory.folder() / "tokenizer.json").has_value());
  EXPECT_TRUE(directory.unsupported().empty());
}

}  // namespace
}  // namespace nibble
