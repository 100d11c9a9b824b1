#include "file/quantized_weights.h"

#include <gtest/gtest.h>

#include <cmath>

#include "file/hf_directory.h"
#include "support/checkpoints.h"
#include "support/files.h"

namespace nibble {
namespace {

const TensorInfo& find_tensor(const TensorSource& source, const std::string& name) {
  return *std::ranges::find(source.tensors(), name, &TensorInfo::name);
}

class QuantizedFixture : public testing::TestWithParam<const char*> {};

// Bit for bit, in one piece and row by row; what is not quantized is there as it was.
TEST_P(QuantizedFixture, HoldsTheWeightsThatItStandsFor) {
  const auto folder = checkpoint_path(GetParam());
  const auto expected = read_all(SafetensorsFile(folder / "expected.values"));
  EXPECT_GE(expected.size(), 3u);
  const HfDirectory directory(folder);
  EXPECT_EQ(read_all(directory, 1), expected);
  EXPECT_EQ(read_all(directory, 1000), expected);
  EXPECT_TRUE(directory.unsupported().empty());
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, QuantizedFixture,
                         testing::Values("fp8_block", "fp8_rows", "gptq_v1", "gptq_old", "gptq_v2",
                                         "awq", "bitsandbytes", "compressed_packed",
                                         "compressed_int", "compressed_float", "compressed_nvfp4",
                                         "compressed_mxfp4", "modelopt", "modelopt_experts"),
                         [](const auto& param) { return std::string(param.param); });

class KeptFixture : public testing::TestWithParam<const char*> {};

// Codes and scales of groups as they are stored, the whole's scale beside them.
TEST_P(KeptFixture, HoldsTheSameValuesInBlocks) {
  const HfDirectory floats(checkpoint_path(GetParam()));
  HfDirectory kept(checkpoint_path(GetParam()));
  kept.keep_blocks([](std::string_view) { return true; });
  const auto expected = decode_tensor(floats, "a.weight"), found = decode_tensor(kept, "a.weight");
  const bool is_mxfp4 = GetParam() == std::string("compressed_mxfp4");
  const float scale = is_mxfp4 ? 1.0f : decode_tensor(kept, "a.weight_scale_2").at(0);
  EXPECT_EQ(find_tensor(kept, "a.weight").type, is_mxfp4 ? DType::kMXFP4 : DType::kNVFP4);
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i)  // products of three numbers, and of a reciprocal
    ASSERT_NEAR(found[i] * scale, expected[i], std::abs(expected[i]) * 3e-7) << i;
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, KeptFixture,
                         testing::Values("compressed_nvfp4", "compressed_mxfp4", "modelopt"),
                         [](const auto& param) { return std::string(param.param); });

TEST(KeptBlocks, HaveAScaleForEachExpert) {
  const HfDirectory floats(checkpoint_path("modelopt_experts"));
  HfDirectory kept(checkpoint_path("modelopt_experts"));
  kept.keep_blocks([](std::string_view) { return true; });
  const std::string name = "experts.gate_up_proj";
  const auto expected = decode_tensor(floats, name), found = decode_tensor(kept, name);
  const auto scales = decode_tensor(kept, name + "_scale_2");
  ASSERT_EQ(scales.size(), 2u);
  for (size_t i = 0; i < found.size(); ++i) {
    const float scale = scales[i / (found.size() / 2)];
    ASSERT_NEAR(found[i] * scale, expected[i], std::abs(expected[i]) * 3e-7) << i;
  }
  EXPECT_EQ(find_tensor(kept, "experts.down_proj").type, DType::kF32);  // no rows of blocks
}

TEST(KeptBlocks, AreOnlyThoseThatAreWanted) {
  HfDirectory directory(checkpoint_path("modelopt"));
  directory.keep_blocks([](std::string_view name) { return name != "a.weight"; });
  EXPECT_EQ(find_tensor(directory, "a.weight").type, DType::kF32);
  EXPECT_FALSE(directory.keeps_blocks());
}

// A fixture whose config or weights are changed.
class QuantizedWeightsTest : public testing::Test {
 protected:
  void take(std::string_view fixture) {
    for (const char* name : {"config.json", "model.safetensors"})
      write_file(folder_ / name, read_file(checkpoint_path(fixture) / name));
  }
  // Both of the same length in weights, whose header has one.
  void replace(const char* file, const std::string& from, const std::string& to) {
    std::string text = read_file(folder_ / file);
    size_t count = 0;
    for (size_t at; (at = text.find(from)) != std::string::npos; ++count)
      text.replace(at, from.size(), to);
    ASSERT_GT(count, 0u) << from;
    write_file(folder_ / file, text);
  }
  testing::AssertionResult refuses(ErrorCode code, const std::vector<std::string>& fragments) {
    return fails_with(code, fragments, [&] { HfDirectory directory(folder_.path()); });
  }

  TemporaryFolder folder_;
};

TEST_F(QuantizedWeightsTest, NamesTheMethodsThatItKnows) {
  take("awq");
  replace("config.json", "\"awq\"", "\"aqlm\"");
  EXPECT_TRUE(refuses(ErrorCode::kUnsupported, {"config.json", "quant_method", "\"aqlm\"", "awq",
                                                "bitsandbytes", "gptq", "mxfp4"}));
  replace("config.json", "\"aqlm\"", "7");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {"config.json", "quant_method"}));
}

TEST_F(QuantizedWeightsTest, RefusesOtherLayoutsByName) {
  take("awq");
  replace("config.json", "\"gemm\"", "\"gemv\"");
  EXPECT_TRUE(refuses(ErrorCode::kUnsupported, {"version", "gemv"}));
  take("gptq_v2");
  replace("config.json", "gptq_v2", "marlin");
  EXPECT_TRUE(refuses(ErrorCode::kUnsupported, {"checkpoint_format", "marlin"}));
  take("compressed_packed");
  replace("config.json", "pack-quantized", "marlin-24");
  EXPECT_TRUE(refuses(ErrorCode::kUnsupported, {"format", "marlin-24"}));
}

TEST_F(QuantizedWeightsTest, RefusesBitsThatContradictTheConfig) {
  take("gptq_v1");
  replace("config.json", "\"dynamic\": {}", "\"static\": {}");
  EXPECT_TRUE(refuses(ErrorCode::kUnsupported, {"b2", "2 bits", "\"bits\": 4"}));
}

TEST_F(QuantizedWeightsTest, RefusesMissingParts) {
  take("awq");
  replace("model.safetensors", "a.qzeros", "a.qzeroo");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {"a.qzeros is missing"}));
  take("fp8_block");
  replace("model.safetensors", "a.weight_scale_inv", "a.weight_scale_out");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {"a.weight_scale is missing"}));
}

TEST_F(QuantizedWeightsTest, RefusesPartsThatDoNotFit) {
  take("fp8_block");
  replace("config.json", "16", "32");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {"a.weight_scale_inv", "[3, 3]", "[20, 40]"}));
  take("gptq_v2");
  replace("config.json", "\"group_size\": 32", "\"group_size\": 16");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {"is of group 2, but there are 2"}));
  take("bitsandbytes");
  replace("model.safetensors", "\"blocksize\": 64", "\"blocksize\": 32");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {"absmax", "shape"}));
}

TEST_F(QuantizedWeightsTest, RefusesScalesThatBlocksCannotHold) {
  take("modelopt");
  std::string text = read_file(folder_ / "model.safetensors");
  const SafetensorsFile file(folder_ / "model.safetensors");
  const auto scales =
      std::ranges::find(file.stored(), std::string("a.weight_scale"), &StoredTensor::name);
  text[scales->offset + 5] = '\x7f';  // NaN, of row 1
  write_file(folder_ / "model.safetensors", text);
  HfDirectory directory(folder_.path());
  directory.keep_blocks([](std::string_view) { return true; });
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile,
                         {"a.weight_scale", "weights 16 to 31 of row 1", "nan"},
                         [&] { decode_tensor(directory, "a.weight"); }));
}

TEST_F(QuantizedWeightsTest, DoesNotHoldAWeightTwice) {
  take("awq");
  replace("model.safetensors", "\"lm_head.weight\"", "\"a.weight\"      ");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {"tensor a.weight", "both"}));
}

TEST_F(QuantizedWeightsTest, RefusesRowsThatAreNotThere) {
  const HfDirectory directory(checkpoint_path("awq"));
  std::vector<std::byte> out(directory.tensors().back().row_bytes());
  const size_t last = directory.tensors().size() - 1;
  const uint64_t rows = directory.tensors().back().shape.rows();
  directory.read_rows(last, rows - 1, 1, out);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"a.weight"},
                         [&] { directory.read_rows(last, rows, 1, out); }));
}

}  // namespace
}  // namespace nibble
