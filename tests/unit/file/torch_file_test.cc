#include "file/torch_file.h"

#include <gtest/gtest.h>

#include <map>

#include "file/hf_directory.h"
#include "support/checkpoints.h"
#include "support/files.h"
#include "unit/file/raw_zip.h"

namespace nibble {
namespace {

class TorchFixture : public testing::TestWithParam<const char*> {};

TEST_P(TorchFixture, HoldsWhatTorchSaved) {
  const auto folder = checkpoint_path(GetParam());
  const auto expected = read_all(SafetensorsFile(folder / "expected.values"));
  EXPECT_GE(expected.size(), 4u);
  EXPECT_EQ(read_all(HfDirectory(folder)), expected);
}

INSTANTIATE_TEST_SUITE_P(Torch, TorchFixture,
                         testing::Values("torch_zip", "torch_legacy", "torch_module"),
                         [](const auto& param) { return std::string(param.param); });

TEST(TorchFile, KeepsAsideWhatATensorSourceCannotHold) {
  const TorchFile file(checkpoint_path("torch_zip") / "pytorch_model.bin");
  std::map<std::string, std::string> reasons;
  for (const UnsupportedTensor& tensor : file.unsupported()) reasons[tensor.name] = tensor.reason;
  EXPECT_EQ(
      reasons,
      (std::map<std::string, std::string>{
          {"empty", "no elements"},
          {"fp8.transposed", "strides [1, 4] for the shape [4, 2] (save it with .contiguous())"},
          {"fp8.weight", "type F8_E4M3"},
          {"long", "type I64"}}));
}

// One tensor of 2 x 2 f32 from the third element of a storage of six.
RawZip small_archive() {
  const auto text = [](const std::string& value) {
    return "X" + little_endian(static_cast<uint32_t>(value.size())) + value;
  };
  const std::string pickle = "\x80\x02}" + text("w") + "ctorch._utils\n_rebuild_tensor_v2\n((" +
                             text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") +
                             "K\x06tQK\x02K\x02K\x02\x86K\x02K\x01\x86\x89}tRs.";
  return {.entries = {{.name = "m/data.pkl", .content = pickle},
                      {.name = "m/byteorder", .content = "little"},
                      {.name = "m/data/0", .content = std::string(24, 'A')}}};
}

testing::AssertionResult refuses(const std::string& file, ErrorCode code,
                                 const std::vector<std::string>& fragments) {
  return fails_with(code, fragments, [&] { parse_torch_file(bytes_of(file), "m.bin"); });
}

TEST(TorchFile, LocatesTensorsInTheirStorage) {
  const std::string file = small_archive().build();
  const TorchContent content = parse_torch_file(bytes_of(file), "m.bin");
  ASSERT_EQ(content.stored.size(), 1u);
  EXPECT_EQ(content.stored[0].offset, file.find("AAAA") + 8);
}

TEST(TorchFile, RefusesStoragesThatDoNotHoldTheirTensors) {
  RawZip zip = small_archive();
  zip.entries[2].content.resize(20);
  EXPECT_TRUE(refuses(zip.build(), ErrorCode::kInvalidFile, {"tensor w", "20 bytes"}));
  zip.entries[2].name = "m/data/1";
  EXPECT_TRUE(refuses(zip.build(), ErrorCode::kInvalidFile, {"storage 0 is missing"}));
  zip = small_archive();
  zip.entries[0].content.replace(zip.entries[0].content.find("K\x06tQK\x02") + 5, 1, "\x03");
  EXPECT_TRUE(refuses(zip.build(), ErrorCode::kInvalidFile, {"tensor w", "from 3 do not lie"}));
}

using Sizes = std::vector<uint32_t>;

// The same tensor with other shapes and strides.
std::string with_strides(const Sizes& shape, const Sizes& strides) {
  const auto tuple = [](const Sizes& sizes) {
    std::string text = "(";
    for (const uint32_t size : sizes) text += "J" + little_endian(size);
    return text + "t";
  };
  RawZip zip = small_archive();
  std::string& pickle = zip.entries[0].content;
  const std::string contiguous("K\x02K\x02\x86K\x02K\x01\x86");
  pickle.replace(pickle.find(contiguous), contiguous.size(), tuple(shape) + tuple(strides));
  return zip.build();
}

// Of a storage of six elements, from the third on.
TEST(TorchFile, KnowsWhereTensorsWithStridesEnd) {
  const std::pair<Sizes, Sizes> inside[] = {
      {{2, 2}, {1, 2}}, {{2, 2}, {2, 1}}, {{3, 4}, {0, 1}},      {{9, 9, 9}, {0, 0, 0}},
      {{4}, {1}},       {{2}, {3}},       {{1, 1, 2}, {9, 9, 3}}};
  for (const auto& [shape, strides] : inside) {
    const std::string file = with_strides(shape, strides);
    const TorchContent content = parse_torch_file(bytes_of(file), "m.bin");
    EXPECT_EQ(content.stored.size() + content.strided.size(), 1u);
  }
  const std::pair<Sizes, Sizes> outside[] = {
      {{2, 2}, {1, 3}}, {{3, 2}, {1, 2}}, {{2}, {4}}, {{5}, {1}}, {{2, 2, 2}, {INT32_MAX, 0, 1}}};
  for (const auto& [shape, strides] : outside)
    EXPECT_TRUE(refuses(with_strides(shape, strides), ErrorCode::kInvalidFile,
                        {"tensor w", "do not lie in a storage of 6 elements"}));
}

TEST(TorchFile, RefusesTensorsThatGrowFarBeyondTheirStorage) {
  const Sizes all_of_one = {0, 0};
  const std::string large = with_strides({1 << 12, 1 << 12}, all_of_one);
  EXPECT_EQ(parse_torch_file(bytes_of(large), "m.bin").strided.size(), 1u);
  EXPECT_TRUE(refuses(with_strides({1 << 12, (1 << 12) + 1}, all_of_one), ErrorCode::kInvalidFile,
                      {"tensor w", "4096 x 4097", "24 bytes"}));
}

TEST(TorchFile, RefusesOtherArchives) {
  RawZip zip = small_archive();
  zip.entries[1].content = "big";
  EXPECT_TRUE(refuses(zip.build(), ErrorCode::kUnsupported, {"byteorder", "\"big\""}));
  zip.entries[1] = {.name = "m/constants.pkl", .content = "."};
  EXPECT_TRUE(refuses(zip.build(), ErrorCode::kUnsupported, {"TorchScript"}));
  zip.entries[1] = {.name = "n/data.pkl", .content = "."};
  EXPECT_TRUE(refuses(zip.build(), ErrorCode::kInvalidFile, {"2 entries data.pkl"}));
  EXPECT_TRUE(refuses("GGUF", ErrorCode::kInvalidFile, {"m.bin", "torch.save"}));
  EXPECT_TRUE(refuses("\x80\x02}.", ErrorCode::kInvalidFile, {"none that torch.save wrote"}));
  EXPECT_TRUE(refuses("", ErrorCode::kInvalidFile, {"torch.save"}));
}

TEST(TorchFile, RefusesEveryTruncation) {
  for (const char* name : {"torch_zip", "torch_legacy"}) {
    const std::string file = read_file(checkpoint_path(name) / "pytorch_model.bin");
    for (size_t size = 0; size < file.size(); ++size) {
      EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"m.bin"},
                             [&] { parse_torch_file(bytes_of(file).first(size), "m.bin"); }))
          << name << size;
    }
  }
}

TEST(TorchFile, SurvivesTheSeedsOfTheFuzzer) {
  for (const auto& seed : fuzz_seeds("torch")) {
    const std::string file = read_file(seed);
    const std::string name = seed.filename().string();
    if (name.starts_with("bad_")) {
      EXPECT_THROW(parse_torch_file(bytes_of(file), name), Error) << name;
    } else {
      EXPECT_FALSE(parse_torch_file(bytes_of(file), name).stored.empty()) << name;
    }
  }
}

}  // namespace
}  // namespace nibble
