#include "file/gguf_sink.h"

#include <gtest/gtest.h>

#include "codec/formats.h"
#include "file/gguf.h"
#include "support/files.h"
#include "unit/file/raw_gguf.h"

namespace nibble {
namespace {

std::vector<TensorInfo> small_tensors() {
  return {{"norm.weight", DType::kF32, {{4, 2, 1, 1}, 2}},
          {"output.weight", DType::kQ8_0, {{32, 1, 1, 1}, 1}}};
}

Metadata metadata_of_every_type() {
  Metadata metadata;
  metadata.set("u8", uint8_t{1});
  metadata.set("i8", int8_t{-1});
  metadata.set("u16", uint16_t{2});
  metadata.set("i16", int16_t{-2});
  metadata.set("u32", uint32_t{3});
  metadata.set("i32", int32_t{-3});
  metadata.set("f32", 0.25f);
  metadata.set("bool", true);
  metadata.set("string", std::string("text"));
  metadata.set("u64", uint64_t{4});
  metadata.set("i64", int64_t{-4});
  metadata.set("f64", 0.125);
  metadata.set("flags", MetadataArray{std::vector<bool>{true, false}});
  metadata.set("tokens", MetadataArray{std::vector<std::string>{"<s>", "a"}});
  const MetadataArray inner{std::vector<int16_t>{-5}};
  metadata.set("nested", MetadataArray{std::vector<MetadataArray>{inner, inner}});
  return metadata;
}

RawGguf raw_of_every_type() {
  RawGguf raw;
  raw.add_key("u8", kU8, number(uint8_t{1}));
  raw.add_key("i8", kI8, number(int8_t{-1}));
  raw.add_key("u16", kU16, number(uint16_t{2}));
  raw.add_key("i16", kI16, number(int16_t{-2}));
  raw.add_key("u32", kU32, number(uint32_t{3}));
  raw.add_key("i32", kI32, number(int32_t{-3}));
  raw.add_key("f32", kFloat, number(0.25f));
  raw.add_key("bool", kBool, number(true));
  raw.add_key("string", kString, text("text"));
  raw.add_key("u64", kU64, number(uint64_t{4}));
  raw.add_key("i64", kI64, number(int64_t{-4}));
  raw.add_key("f64", kDouble, number(0.125));
  raw.add_array("flags", kBool, 2, std::string("\1\0", 2));
  raw.add_array("tokens", kString, 2, text("<s>") + text("a"));
  const std::string inner = number(uint32_t{kI16}) + number(uint64_t{1}) + number(int16_t{-5});
  raw.add_array("nested", kArray, 2, inner + inner);
  return raw;
}

class GgufSinkTest : public testing::Test {
 protected:
  // Writes the weights in pieces of `step` bytes.
  std::string write(const Metadata& metadata, std::string_view first, std::string_view second,
                    size_t step) {
    GgufSink sink(path_, metadata, small_tensors());
    write_tensor(sink, 0, first, step);
    write_tensor(sink, 1, second, step);
    sink.finish();
    return read_file(path_);
  }
  static void write_tensor(GgufSink& sink, size_t tensor, std::string_view bytes, size_t step) {
    for (size_t i = 0; i < bytes.size(); i += step)
      sink.write(tensor, i, bytes_of(bytes.substr(i, step)));
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "out.gguf";
  std::string first_ = std::string(32, 'n');
  std::string second_ = std::string(34, 'o');
};

TEST_F(GgufSinkTest, WritesExactlyTheBytesOfTheSpecification) {
  RawGguf raw = raw_of_every_type();
  raw.tensors = {{"norm.weight", {4, 2}, 0, 0}, {"output.weight", {32}, 8, 32}};
  raw.weights = first_ + second_ + std::string(30, '\0');
  for (const size_t step : {1u, 7u, 100u}) {
    EXPECT_EQ(write(metadata_of_every_type(), first_, second_, step), raw.build());
  }
}

TEST_F(GgufSinkTest, PredictsTheSizeOfTheFile) {
  const std::string file = write(metadata_of_every_type(), first_, second_, 100);
  EXPECT_EQ(gguf_file_bytes(metadata_of_every_type(), small_tensors()), file.size());
}

TEST_F(GgufSinkTest, HonoursTheAlignment) {
  Metadata metadata;
  metadata.set("general.alignment", uint32_t{128});
  write(metadata, first_, second_, 100);
  const GgufFile file(path_);
  EXPECT_EQ(std::filesystem::file_size(path_) % 128, 0u);
  EXPECT_EQ(file.view(1).data() - file.view(0).data(), 128);
}

TEST_F(GgufSinkTest, RefusesAnAlignmentThatReadersDoNotTake) {
  Metadata metadata;
  metadata.set("general.alignment", uint64_t{32});
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"general.alignment", "u64"},
                         [&] { GgufSink sink(path_, metadata, small_tensors()); }));
  EXPECT_EQ(folder_.count_files(), 0u);
}

TEST_F(GgufSinkTest, LeavesNothingBehindUnlessFinished) {
  {
    GgufSink sink(path_, Metadata(), small_tensors());
    sink.write(0, 0, bytes_of(first_));
    EXPECT_EQ(folder_.count_files(), 1u) << "the temporary";
    EXPECT_FALSE(std::filesystem::exists(path_));
  }
  EXPECT_EQ(folder_.count_files(), 0u);
}

TEST_F(GgufSinkTest, RefusesToFinishWhenWeightsAreMissing) {
  GgufSink sink(path_, Metadata(), small_tensors());
  sink.write(0, 0, bytes_of(first_));
  sink.write(1, 0, bytes_of(second_.substr(1)));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"out.gguf", "output.weight", "33 of 34"},
                         [&] { sink.finish(); }));
}

TEST_F(GgufSinkTest, TakesPiecesInAnyOrder) {
  const std::string expected = write(Metadata(), first_, second_, 100);
  GgufSink sink(path_, Metadata(), small_tensors());
  sink.write(1, 7, bytes_of(second_.substr(7)));
  sink.write(0, 16, bytes_of(first_.substr(16)));
  sink.write(1, 0, bytes_of(second_.substr(0, 7)));
  sink.write(0, 0, bytes_of(first_.substr(0, 16)));
  sink.finish();
  EXPECT_EQ(read_file(path_), expected);
}

TEST_F(GgufSinkTest, RefusesBytesOutsideATensorAndTooMany) {
  GgufSink sink(path_, Metadata(), small_tensors());
  const auto refuses = [&](size_t tensor, uint64_t offset, std::string_view bytes) {
    return fails_with(ErrorCode::kUsage, {"out.gguf"},
                      [&] { sink.write(tensor, offset, bytes_of(bytes)); });
  };
  EXPECT_TRUE(refuses(0, 0, first_ + "x"));
  EXPECT_TRUE(refuses(0, 1, first_));
  EXPECT_TRUE(refuses(0, UINT64_MAX, "x"));
  EXPECT_TRUE(refuses(2, 0, "x"));
  sink.write(0, 0, bytes_of(first_));
  EXPECT_TRUE(refuses(0, 0, "x"));
}

TEST_F(GgufSinkTest, RefusesTensorsThatNoReaderTakes) {
  const auto refuses = [&](TensorInfo tensor, const char* fragment) {
    std::vector<TensorInfo> tensors = small_tensors();
    tensors.push_back(std::move(tensor));
    return fails_with(ErrorCode::kUsage, {"out.gguf", fragment},
                      [&] { GgufSink sink(path_, Metadata(), tensors); });
  };
  EXPECT_TRUE(refuses({"norm.weight", DType::kF32, {{1, 1, 1, 1}, 1}}, "more than once"));
  EXPECT_TRUE(refuses({std::string(64, 'n'), DType::kF32, {{1, 1, 1, 1}, 1}}, "64 bytes"));
  EXPECT_TRUE(refuses({"", DType::kF32, {{1, 1, 1, 1}, 1}}, "shape 1"));
  EXPECT_TRUE(refuses({"odd", DType::kQ8_0, {{33, 1, 1, 1}, 1}}, "no q8_0 tensor"));
  EXPECT_TRUE(refuses({"none", DType::kF32, {{0, 1, 1, 1}, 1}}, "shape 0"));
  EXPECT_TRUE(refuses({"rank", DType::kF32, {{1, 1, 1, 1}, 0}}, "scalar"));
  EXPECT_TRUE(refuses({"huge", DType::kF32, {{uint64_t{1} << 61, 1, 1, 1}, 1}}, "no f32 tensor"));
  EXPECT_EQ(folder_.count_files(), 0u);
}

TEST_F(GgufSinkTest, ChecksTheFreeSpaceBeforeTheFirstByte) {
  const std::vector<TensorInfo> tensors = {
      {"huge", DType::kF32, {{uint64_t{1} << 59, 1, 1, 1}, 1}}};
  EXPECT_TRUE(fails_with(ErrorCode::kNoSpace, {"out.gguf", "bytes are needed"},
                         [&] { GgufSink sink(path_, Metadata(), tensors); }));
  EXPECT_EQ(folder_.count_files(), 0u);
}

TEST_F(GgufSinkTest, RefusesMoreBytesThanAFileCanHold) {
  const Shape half{{uint64_t{1} << 60, 1, 1, 1}, 1};
  const std::vector<TensorInfo> tensors = {{"a", DType::kF32, half}, {"b", DType::kF32, half}};
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"more bytes than a file can hold"},
                         [&] { GgufSink sink(path_, Metadata(), tensors); }));
}

}  // namespace
}  // namespace nibble
