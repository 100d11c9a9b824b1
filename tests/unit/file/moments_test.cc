#include "file/moments.h"

#include <gtest/gtest.h>

#include <cmath>

#include "codec/formats.h"
#include "file/gguf_sink.h"
#include "support/files.h"

namespace nibble {
namespace {

struct StoredMoments {
  std::string name = "a.weight.in_moments";
  DType type = DType::kF32;
  uint64_t numbers = 6;  // of 3 columns
  std::vector<float> values = {1, 2, 5, 3, 4, 9, 0, 0, 0, 0, 0, 0};
  std::vector<std::string> tensors = {"a.weight", "b.weight"};
  std::vector<std::string> inputs = {"a.weight", "a.weight"};
};

class MomentsTest : public testing::Test {
 protected:
  std::filesystem::path write(const StoredMoments& stored) const {
    Metadata metadata;
    metadata.set("nibble.moments.tensors", MetadataArray{stored.tensors});
    metadata.set("nibble.moments.inputs", MetadataArray{stored.inputs});
    const auto path = folder_ / "statistics.gguf";
    GgufSink sink(path, metadata, {{stored.name, stored.type, {{stored.numbers, 2, 1, 1}, 2}}});
    const auto bytes = std::as_bytes(std::span(stored.values));
    const uint64_t size = stored.numbers * 2 * block_bytes(stored.type);
    sink.write(0, 0, bytes.first(size));
    sink.finish();
    return path;
  }
  testing::AssertionResult is_refused(const StoredMoments& stored,
                                      const std::vector<std::string>& fragments) const {
    return fails_with(ErrorCode::kInvalidFile, fragments, [&] { MomentsFile{write(stored)}; });
  }

  TemporaryFolder folder_;
};

TEST_F(MomentsTest, GivesEachTensorTheMomentsOfItsInput) {
  const MomentsFile file(write({}));
  EXPECT_FALSE(file.empty());
  EXPECT_EQ(file.input_of("c.weight"), nullptr);
  for (const char* tensor : {"a.weight", "b.weight"}) {
    const MomentsFile::Input* input = file.input_of(tensor);
    ASSERT_NE(input, nullptr);
    EXPECT_EQ(input->columns, 3u);
    EXPECT_EQ(input->experts, 2u);
    EXPECT_EQ(file.read(*input, 0), (std::vector<float>{1, 2, 5, 3, 4, 9}));
    EXPECT_EQ(file.read(*input, 1), std::vector<float>(6));
  }
}

TEST_F(MomentsTest, RefusesNamesThatDoNotFit) {
  EXPECT_TRUE(is_refused({.inputs = {"a.weight"}}, {"nibble.moments.inputs", "1 names", "2"}));
  EXPECT_TRUE(is_refused({.inputs = {"a.weight", "x.weight"}}, {"x.weight.in_moments", "missing"}));
}

TEST_F(MomentsTest, RefusesTensorsThatAreNoMoments) {
  EXPECT_TRUE(is_refused({.numbers = 5}, {"a.weight.in_moments", "5 x 2", "n (n + 1) / 2"}));
  EXPECT_TRUE(is_refused({.type = DType::kF16}, {"a.weight.in_moments", "f16", "expected f32"}));
}

TEST_F(MomentsTest, NamesTheColumnsOfANumberThatIsNone) {
  for (const float bad : {std::nanf(""), INFINITY}) {
    const MomentsFile file(write({.values = {1, 2, 5, 3, bad, 9, 0, 0, 0, 0, 0, 0}}));
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile,
                           {"a.weight.in_moments", "columns 2 and 1", "damaged"},
                           [&] { file.read(*file.input_of("a.weight"), 0); }));
  }
  const MomentsFile file(write({.values = {1, 2, -5, 3, 4, 9, 0, 0, 0, 0, 0, 0}}));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"columns 1 and 1", "-5"},
                         [&] { file.read(*file.input_of("a.weight"), 0); }));
}

}  // namespace
}  // namespace nibble
