#include "file/gguf.h"

#include <gtest/gtest.h>

#include "codec/formats.h"
#include "file/gguf_sink.h"
#include "support/files.h"
#include "unit/file/raw_gguf.h"

namespace nibble {
namespace {

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string rows_of(const TensorSource& source, size_t tensor, uint64_t first, uint64_t count) {
  std::vector<std::byte> out(count * source.tensors()[tensor].row_bytes());
  source.read_rows(tensor, first, count, out);
  return text_of(out);
}

class GgufFileTest : public testing::Test {
 protected:
  std::filesystem::path store(const RawGguf& raw) {
    return write_file(folder_ / "m.gguf", raw.build());
  }

  TemporaryFolder folder_;
};

TEST_F(GgufFileTest, HandsOutRowsAndViews) {
  const RawGguf raw = small_gguf();
  const GgufFile file(store(raw));
  EXPECT_EQ(file.metadata().origin(), (folder_ / "m.gguf").string());
  EXPECT_EQ(rows_of(file, 0, 0, 2), raw.weights.substr(0, 32));
  EXPECT_EQ(rows_of(file, 0, 1, 1), raw.weights.substr(16, 16));
  EXPECT_EQ(rows_of(file, 0, 2, 0), "");
  EXPECT_EQ(text_of(file.view(0)), raw.weights.substr(0, 32));
  EXPECT_EQ(text_of(file.view(1)), raw.weights.substr(32, 34));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file.view(0).data()) % alignof(float), 0u);
}

TEST_F(GgufFileTest, RefusesRowsOutsideTheTensor) {
  const GgufFile file(store(small_gguf()));
  std::vector<std::byte> out(32);
  const auto refuses = [&](uint64_t first, uint64_t count, size_t size) {
    return fails_with(ErrorCode::kUsage, {"norm.weight"},
                      [&] { file.read_rows(0, first, count, std::span(out).first(size)); });
  };
  EXPECT_TRUE(refuses(0, 3, 32));
  EXPECT_TRUE(refuses(1, 2, 32));
  EXPECT_TRUE(refuses(3, 0, 0));
  EXPECT_TRUE(refuses(1, UINT64_MAX, 32));
  EXPECT_TRUE(refuses(0, 2, 31));
}

TEST_F(GgufFileTest, NamesTheFileThatIsNotThere) {
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, {"none.gguf"},
                         [&] { GgufFile file(folder_ / "none.gguf"); }));
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, {"not a regular file"},
                         [&] { GgufFile file(folder_.path()); }));
}

TEST_F(GgufFileTest, RefusesAnEmptyFile) {
  const auto path = write_file(folder_ / "empty.gguf", "");
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"empty.gguf", "truncated"},
                         [&] { GgufFile file(path); }));
}

// A model of `count` parts with one tensor of one F32 weight each.
class SplitGguf : public testing::Test {
 protected:
  std::filesystem::path part(int number) const {
    return folder_ /
           ("m-0000" + std::to_string(number) + "-of-0000" + std::to_string(count_) + ".gguf");
  }
  void split(int count) {
    count_ = count;
    for (int number = 1; number <= count; ++number) write_part(number, number - 1, count, count);
  }
  void write_part(int number, int no, int count, int tensors, std::string name = "") {
    if (name.empty()) name = "t" + std::to_string(number);
    RawGguf raw;
    if (number == 1) raw.add_key("general.name", kString, text("split model"));
    raw.add_key("split.no", kU16, ::nibble::number(static_cast<uint16_t>(no)));
    raw.add_key("split.count", kU16, ::nibble::number(static_cast<uint16_t>(count)));
    raw.add_key("split.tensors.count", kI32, ::nibble::number(tensors));
    raw.tensors = {{name, {1}, 0, 0}};
    raw.weights = "abc" + std::to_string(number);
    write_file(part(number), raw.build());
  }
  testing::AssertionResult refuses(ErrorCode code, const std::vector<std::string>& fragments) {
    return fails_with(code, fragments, [&] { GgufFile file(part(1)); });
  }

  TemporaryFolder folder_;
  int count_ = 0;
};

TEST_F(SplitGguf, OpensAllPartsByTheFirst) {
  split(3);
  const GgufFile file(part(1));
  ASSERT_EQ(file.tensors().size(), 3u);
  EXPECT_EQ(file.files().size(), 3u);
  EXPECT_EQ(file.tensors()[2].name, "t3");
  EXPECT_EQ(rows_of(file, 0, 0, 1), "abc1");
  EXPECT_EQ(rows_of(file, 2, 0, 1), "abc3");
  EXPECT_EQ(text_of(file.view(1)), "abc2");
}

TEST_F(SplitGguf, LooksLikeOneFile) {
  split(2);
  const GgufFile file(part(1));
  EXPECT_EQ(file.metadata().require_string("general.name"), "split model");
  EXPECT_FALSE(file.metadata().contains("split.no"));
  EXPECT_FALSE(file.metadata().contains("split.count"));
  EXPECT_FALSE(file.metadata().contains("split.tensors.count"));
}

TEST_F(SplitGguf, IsNotOpenedByALaterPart) {
  split(3);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage,
                         {"m-00002-of-00003.gguf", "part 2 of 3", "-00001-of-00003.gguf"},
                         [&] { GgufFile file(part(2)); }));
}

TEST_F(SplitGguf, NamesTheMissingPart) {
  split(3);
  std::filesystem::remove(part(2));
  EXPECT_TRUE(refuses(ErrorCode::kNotFound, {"part 2 of 3 is missing", "m-00002-of-00003.gguf"}));
}

TEST_F(SplitGguf, RefusesPartsOfAnotherSplit) {
  split(3);
  write_part(2, 1, 4, 3);
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {"m-00002-of-00003.gguf", "split.count"}));
  write_part(2, 1, 3, 5);
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {"m-00002-of-00003.gguf", "split.tensors.count"}));
  write_part(2, 2, 3, 3);
  EXPECT_TRUE(
      refuses(ErrorCode::kInvalidFile, {"m-00002-of-00003.gguf", "split.no: found 2, expected 1"}));
}

TEST_F(SplitGguf, RefusesAWrongTensorCount) {
  split(2);
  write_part(1, 0, 2, 7);
  write_part(2, 1, 2, 7);
  EXPECT_TRUE(
      refuses(ErrorCode::kInvalidFile, {"split.tensors.count: found 7, but the parts hold 2"}));
}

TEST_F(SplitGguf, RefusesATensorInTwoParts) {
  split(2);
  write_part(2, 1, 2, 2, "t1");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {"tensor t1", "more than one part"}));
}

TEST_F(SplitGguf, RefusesContradictoryNumbers) {
  split(2);
  write_part(1, 5, 2, 2);
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {"split.no 5", "split.count 2"}));
}

TEST_F(SplitGguf, WantsTheFirstPartUnderItsName) {
  split(2);
  std::filesystem::rename(part(1), folder_ / "renamed.gguf");
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"renamed.gguf", "-00001-of-00002.gguf"},
                         [&] { GgufFile file(folder_ / "renamed.gguf"); }));
}

class StockFile : public testing::TestWithParam<const char*> {};

// What llama.cpp wrote comes out of our sink to the byte.
TEST_P(StockFile, IsRewrittenToTheByte) {
  const auto path = shared_path(std::string("models/lab-7m-stock/") + GetParam() + ".gguf");
  NIBBLE_REQUIRE_SHARED(path);
  const GgufFile file(path);
  EXPECT_EQ(file.tensors().size(), 57u);
  EXPECT_EQ(file.metadata().require_uint("llama.embedding_length"), 256u);
  const TemporaryFolder folder;
  GgufSink sink(folder / "copy.gguf", file.metadata(), file.tensors());
  for (size_t i = 0; i < file.tensors().size(); ++i) sink.write(i, 0, file.view(i));
  sink.finish();
  EXPECT_EQ(read_file(folder / "copy.gguf"), read_file(path));
}

INSTANTIATE_TEST_SUITE_P(Gguf, StockFile, testing::Values("Q4_0", "Q4_K_M", "Q6_K", "Q8_0"));

class StockVocabulary : public testing::TestWithParam<const char*> {};

TEST_P(StockVocabulary, HasATypeForEveryToken) {
  const auto path = shared_path(std::string("tokenizers/vocab-") + GetParam() + ".gguf");
  NIBBLE_REQUIRE_SHARED(path);
  const GgufFile file(path);
  EXPECT_TRUE(file.tensors().empty());
  const auto* tokens = file.metadata().find_array<std::string>("tokenizer.ggml.tokens");
  const auto* types = file.metadata().find_array<int32_t>("tokenizer.ggml.token_type");
  ASSERT_TRUE(tokens != nullptr && types != nullptr);
  EXPECT_GT(tokens->size(), 20000u);
  EXPECT_EQ(types->size(), tokens->size());
}

INSTANTIATE_TEST_SUITE_P(Gguf, StockVocabulary,
                         testing::Values("llama-spm", "phi-3", "gpt-2", "bert-bge", "starcoder",
                                         "deepseek-coder"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace nibble
