#include "file/safetensors.h"

#include <gtest/gtest.h>

#include "codec/formats.h"
#include "file/safetensors_sink.h"
#include "support/files.h"
#include "unit/file/raw_safetensors.h"

namespace nibble {
namespace {

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string tensor_of(const TensorSource& source, size_t tensor) {
  std::vector<std::byte> out(source.tensors()[tensor].bytes());
  source.read_rows(tensor, 0, source.tensors()[tensor].shape.rows(), out);
  return text_of(out);
}

class SafetensorsFileTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "model.safetensors";
};

TEST_F(SafetensorsFileTest, HandsOutRowsAndViews) {
  const RawSafetensors raw = small_safetensors();
  const SafetensorsFile file(write_file(path_, raw.build()));
  EXPECT_EQ(tensor_of(file, 0), raw.weights.substr(0, 24));
  EXPECT_EQ(text_of(file.view(0)), raw.weights.substr(0, 24));
  std::vector<std::byte> row(12);
  file.read_rows(0, 1, 1, row);
  EXPECT_EQ(text_of(row), raw.weights.substr(12, 12));
}

TEST_F(SafetensorsFileTest, HasNoViewOfATensorThatIsNotAligned) {
  RawSafetensors raw;
  raw.add("a", "F16", "[1]", "[0,2]");
  raw.add("b", "F32", "[1]", "[2,6]");
  raw.add("c", "I8", "[1]", "[6,7]");
  raw.add("d", "F16", "[1]", "[7,9]");
  raw.weights = "aabbbbcdd";
  const SafetensorsFile file(write_file(path_, raw.build()));
  EXPECT_EQ(text_of(file.view(0)), "aa");
  EXPECT_TRUE(file.view(1).empty());
  EXPECT_EQ(tensor_of(file, 1), "bbbb");
  EXPECT_TRUE(file.view(2).empty());
  EXPECT_EQ(tensor_of(file, 2), "dd");
  EXPECT_EQ(file.unsupported().at(0).name, "c");
}

TEST_F(SafetensorsFileTest, RefusesATruncatedFile) {
  const std::string whole = small_safetensors().build();
  write_file(path_, std::string_view(whole).substr(0, whole.size() - 1));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {path_.string(), "truncated"},
                         [&] { SafetensorsFile file(path_); }));
}

class SafetensorsSinkTest : public SafetensorsFileTest {
 protected:
  const std::vector<TensorInfo> tensors_ = {{"up.weight", DType::kF32, {{3, 2, 1, 1}, 2}},
                                            {"norm.weight", DType::kF16, {{5, 1, 1, 1}, 1}}};
  const std::map<std::string, std::string> metadata_ = {{"format", "pt"}};

  testing::AssertionResult refuses(ErrorCode code, const TensorInfo& tensor, const char* fragment) {
    return fails_with(code, {fragment}, [&] { SafetensorsSink sink(path_, metadata_, {tensor}); });
  }
};

TEST_F(SafetensorsSinkTest, WritesExactlyTheBytesOfTheSpecification) {
  const RawSafetensors raw = small_safetensors();
  SafetensorsSink sink(path_, metadata_, tensors_);
  sink.write(0, 0, bytes_of(raw.weights.substr(0, 5)));
  sink.write(0, 5, bytes_of(raw.weights.substr(5, 19)));
  sink.write(1, 0, bytes_of(raw.weights.substr(24)));
  sink.finish();
  EXPECT_EQ(read_file(path_), raw.build());
  EXPECT_EQ(safetensors_file_bytes(metadata_, tensors_), raw.build().size());
}

TEST_F(SafetensorsSinkTest, EscapesNames) {
  const TensorInfo tensor{"a\"\\\n\xc3\xa9", DType::kBF16, {{1, 1, 1, 1}, 1}};
  SafetensorsSink sink(path_, {}, {tensor});
  sink.write(0, 0, bytes_of("xy"));
  sink.finish();
  const SafetensorsFile file(path_);
  EXPECT_EQ(file.tensors().at(0).name, tensor.name);
  EXPECT_EQ(file.tensors().at(0).type, DType::kBF16);
}

TEST_F(SafetensorsSinkTest, LeavesNothingBehindUnlessFinished) {
  { SafetensorsSink sink(path_, metadata_, tensors_); }
  EXPECT_EQ(folder_.count_files(), 0u);
}

TEST_F(SafetensorsSinkTest, RefusesWhatReadersDoNotTake) {
  const Shape one{{32, 1, 1, 1}, 1};
  EXPECT_TRUE(refuses(ErrorCode::kUnsupported, {"q", DType::kQ8_0, one},
                      "tensor q: safetensors has no type for q8_0"));
  EXPECT_TRUE(refuses(ErrorCode::kUnsupported, {"\xff", DType::kF32, one}, "not UTF-8"));
  EXPECT_TRUE(refuses(ErrorCode::kUsage, {"__metadata__", DType::kF32, one}, "__metadata__"));
  EXPECT_TRUE(refuses(ErrorCode::kNoSpace, {"huge", DType::kF32, {{uint64_t{1} << 59, 1, 1, 1}, 1}},
                      "needed"));
  EXPECT_EQ(folder_.count_files(), 0u);
}

TEST_F(SafetensorsSinkTest, RefusesToFinishWhenWeightsAreMissing) {
  SafetensorsSink sink(path_, metadata_, tensors_);
  sink.write(0, 0, bytes_of(std::string(24, 'x')));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"norm.weight", "0 of 10"}, [&] { sink.finish(); }));
}

// Two shards of one tensor each, and an index.
class ShardedSafetensors : public testing::Test {
 protected:
  ShardedSafetensors() {
    write_shard("a.safetensors", "first");
    write_shard("b.safetensors", "second");
    write_index(R"("first":"a.safetensors","second":"b.safetensors")");
  }
  void write_shard(const char* file, const std::string& tensor) {
    RawSafetensors raw;
    raw.add(tensor, "F16", "[3]", "[0,6]");
    raw.weights = tensor;
    raw.weights.resize(6);
    write_file(folder_ / file, raw.build());
  }
  void write_index(const std::string& map) {
    write_file(index_, R"({"metadata":{"total_size":12},"weight_map":{)" + map + "}}");
  }
  testing::AssertionResult refuses(ErrorCode code, const std::vector<std::string>& fragments) {
    return fails_with(code, fragments, [&] { SafetensorsFile file(index_); });
  }

  TemporaryFolder folder_;
  std::filesystem::path index_ = folder_ / "model.safetensors.index.json";
};

TEST_F(ShardedSafetensors, OpensAllShards) {
  const SafetensorsFile file(index_);
  ASSERT_EQ(file.tensors().size(), 2u);
  EXPECT_EQ(file.files().size(), 2u);
  EXPECT_EQ(file.tensors()[1].name, "second");
  EXPECT_EQ(tensor_of(file, 1), "second");
}

TEST_F(ShardedSafetensors, NamesTheMissingShard) {
  std::filesystem::remove(folder_ / "b.safetensors");
  EXPECT_TRUE(refuses(ErrorCode::kNotFound, {"b.safetensors", "missing", index_.string()}));
}

TEST_F(ShardedSafetensors, RefusesATensorThatItsShardLacks) {
  write_index(R"("first":"a.safetensors","second":"b.safetensors","third":"b.safetensors")");
  EXPECT_TRUE(
      refuses(ErrorCode::kInvalidFile, {"b.safetensors", "tensor third", "does not hold it"}));
}

TEST_F(ShardedSafetensors, RefusesATensorThatTheIndexLacks) {
  RawSafetensors raw;
  raw.add("first", "F16", "[1]", "[0,2]");
  raw.add("stowaway", "I64", "[1]", "[2,10]");
  raw.weights.resize(10);
  write_file(folder_ / "a.safetensors", raw.build());
  EXPECT_TRUE(
      refuses(ErrorCode::kInvalidFile, {"a.safetensors", "tensor stowaway", "does not name it"}));
}

TEST_F(ShardedSafetensors, NeverLeavesItsFolder) {
  for (const char* name :
       {"../a.safetensors", "/etc/passwd", "sub/a.safetensors", "", "..", "a.bin"}) {
    write_index(std::string(R"("first":")") + name + "\"");
    EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {"weight_map", "same folder"})) << name;
  }
}

TEST_F(ShardedSafetensors, RefusesADamagedIndex) {
  write_index(R"("first":"a.safetensors","first":"b.safetensors")");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {index_.string(), "\"first\" stands twice"}));
  write_index(R"("first":1)");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {index_.string(), "first", "name of a file"}));
  write_file(index_, "{}");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {index_.string(), "\"weight_map\" is missing"}));
  write_file(index_, R"({"weight_map":[]})");
  EXPECT_TRUE(
      refuses(ErrorCode::kInvalidFile, {index_.string(), "weight_map", "expected an object"}));
  write_file(index_, "");
  EXPECT_TRUE(refuses(ErrorCode::kInvalidFile, {index_.string(), "not valid JSON"}));
}

class PublishedModel : public testing::TestWithParam<const char*> {};

// What the reference implementation wrote comes out of our sink to the byte.
TEST_P(PublishedModel, IsRewrittenToTheByte) {
  const auto path = shared_path(std::string("models/") + GetParam() + "/model.safetensors");
  NIBBLE_REQUIRE_SHARED(path);
  const SafetensorsFile file(path);
  const TemporaryFolder folder;
  SafetensorsSink sink(folder / "copy.safetensors", {{"format", "pt"}}, file.tensors());
  for (size_t i = 0; i < file.tensors().size(); ++i) sink.write(i, 0, file.view(i));
  sink.finish();
  EXPECT_EQ(read_file(folder / "copy.safetensors"), read_file(path));
}

INSTANTIATE_TEST_SUITE_P(Safetensors, PublishedModel, testing::Values("lab-7m", "stories260k"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace nibble
