#include "base/metadata.h"

#include <gtest/gtest.h>

#include "base/checked.h"
#include "support/files.h"

namespace nibble {
namespace {

Metadata example() {
  Metadata metadata;
  metadata.set_origin("model.gguf");
  metadata.set("u8", uint8_t{200});
  metadata.set("i32", int32_t{5});
  metadata.set("negative", int64_t{-5});
  metadata.set("f32", 0.5f);
  metadata.set("bool", true);
  metadata.set("string", std::string("llama"));
  metadata.set("array", MetadataArray{std::vector<int32_t>{1, 2, 3}});
  return metadata;
}

TEST(Metadata, KeepsTheOrderAndReplacesInPlace) {
  Metadata metadata = example();
  metadata.set("u8", uint8_t{1});
  metadata.erase("i32");
  EXPECT_EQ(metadata.entries().size(), 6u);
  EXPECT_EQ(metadata.entries().front().first, "u8");
  EXPECT_EQ(metadata.find_uint("u8"), 1u);
  EXPECT_FALSE(metadata.contains("i32"));
}

TEST(Metadata, ConvertsIntegersOfAnyWidthThatFit) {
  const Metadata metadata = example();
  EXPECT_EQ(metadata.require_uint("u8"), 200u);
  EXPECT_EQ(metadata.require_uint("i32"), 5u);
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"model.gguf", "negative", "i64"},
                         [&] { metadata.find_uint("negative"); }));
}

TEST(Metadata, RefusesAValueOfAnotherType) {
  const Metadata metadata = example();
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"model.gguf", "bool", "integer"},
                         [&] { metadata.find_uint("bool"); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"u8", "u8", "floating"},
                         [&] { metadata.find_float("u8"); }));
  EXPECT_TRUE(
      fails_with(ErrorCode::kInvalidFile, {"string"}, [&] { metadata.find_bool("string"); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"f32"}, [&] { metadata.find_string("f32"); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"array", "element"},
                         [&] { metadata.find_array<float>("array"); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"string", "array"},
                         [&] { metadata.find_array<float>("string"); }));
}

TEST(Metadata, TellsMissingFromWrong) {
  const Metadata metadata = example();
  EXPECT_EQ(metadata.find_uint("nothing"), std::nullopt);
  EXPECT_EQ(metadata.find_array<float>("nothing"), nullptr);
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"model.gguf", "nothing", "missing"},
                         [&] { metadata.require_string("nothing"); }));
}

TEST(Metadata, GivesArraysAsTheyAre) {
  const Metadata metadata = example();
  EXPECT_EQ(*metadata.find_array<int32_t>("array"), (std::vector<int32_t>{1, 2, 3}));
}

TEST(Metadata, NamesTypesAsGgufNumbersThem) {
  EXPECT_EQ(MetadataValue(uint8_t{}).index(), 0u);
  EXPECT_EQ(MetadataValue(std::string()).index(), 8u);
  EXPECT_EQ(MetadataValue(double{}).index(), 12u);
  EXPECT_EQ(metadata_type_name(MetadataValue(std::string())), "string");
  EXPECT_EQ(metadata_type_name(MetadataValue(uint64_t{})), "u64");
}

TEST(Checked, RefusesToWrapAround) {
  EXPECT_EQ(checked_add(UINT64_MAX, 0), UINT64_MAX);
  EXPECT_EQ(checked_add(UINT64_MAX, 1), std::nullopt);
  EXPECT_EQ(checked_mul(uint64_t{1} << 32, uint64_t{1} << 31), uint64_t{1} << 63);
  EXPECT_EQ(checked_mul(uint64_t{1} << 32, uint64_t{1} << 32), std::nullopt);
  EXPECT_EQ(checked_align(33, 32), 64u);
  EXPECT_EQ(checked_align(64, 32), 64u);
  EXPECT_EQ(checked_align(UINT64_MAX, 32), std::nullopt);
}

}  // namespace
}  // namespace nibble
