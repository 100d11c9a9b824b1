#include "base/metadata.h"

#include <gtest/gtest.h>

#include "support/files.h"

namespace nibble {
namespace {

class MetadataTest : public testing::Test {
 protected:
  MetadataTest() { metadata_.set_origin("m.gguf"); }

  testing::AssertionResult refuses(const char* key, const std::function<void()>& action) {
    return fails_with(ErrorCode::kInvalidFile, {"m.gguf: ", key}, action);
  }

  Metadata metadata_;
};

TEST_F(MetadataTest, KeepsTheOrderAndReplacesInPlace) {
  metadata_.set("a", uint8_t{1});
  metadata_.set("b", uint8_t{2});
  metadata_.set("a", uint8_t{3});
  ASSERT_EQ(metadata_.entries().size(), 2u);
  EXPECT_EQ(metadata_.entries()[0].first, "a");
  EXPECT_EQ(metadata_.require_uint("a"), 3u);
}

TEST_F(MetadataTest, AppendsAndErases) {
  metadata_.append("a", uint8_t{1});
  metadata_.append("b", uint8_t{2});
  EXPECT_TRUE(metadata_.contains("a"));
  metadata_.erase("a");
  EXPECT_FALSE(metadata_.contains("a"));
  EXPECT_EQ(metadata_.require_uint("b"), 2u);
}

TEST_F(MetadataTest, ConvertsIntegersOfAnyWidth) {
  metadata_.set("u8", uint8_t{200});
  metadata_.set("i16", int16_t{300});
  metadata_.set("u64", UINT64_MAX);
  EXPECT_EQ(metadata_.find_uint("u8"), 200u);
  EXPECT_EQ(metadata_.find_uint("i16"), 300u);
  EXPECT_EQ(metadata_.find_uint("u64"), UINT64_MAX);
}

TEST_F(MetadataTest, RefusesWhatIsNoCount) {
  metadata_.set("negative", int64_t{-1});
  metadata_.set("bool", true);
  metadata_.set("float", 1.0f);
  EXPECT_TRUE(refuses("negative", [&] { metadata_.find_uint("negative"); }));
  EXPECT_TRUE(refuses("bool", [&] { metadata_.find_uint("bool"); }));
  EXPECT_TRUE(refuses("found a value of type f32", [&] { metadata_.find_uint("float"); }));
}

TEST_F(MetadataTest, ReadsOtherTypes) {
  metadata_.set("f32", 0.5f);
  metadata_.set("f64", 0.25);
  metadata_.set("bool", false);
  metadata_.set("string", std::string("x"));
  EXPECT_EQ(metadata_.require_float("f32"), 0.5);
  EXPECT_EQ(metadata_.require_float("f64"), 0.25);
  EXPECT_EQ(metadata_.find_bool("bool"), false);
  EXPECT_EQ(metadata_.require_string("string"), "x");
  EXPECT_TRUE(refuses("string", [&] { metadata_.find_float("string"); }));
  EXPECT_TRUE(refuses("f32", [&] { metadata_.find_bool("f32"); }));
  EXPECT_TRUE(refuses("bool", [&] { metadata_.find_string("bool"); }));
}

TEST_F(MetadataTest, NamesTheMissingKey) {
  EXPECT_EQ(metadata_.find_uint("none"), std::nullopt);
  EXPECT_EQ(metadata_.find_array<float>("none"), nullptr);
  EXPECT_TRUE(refuses("none is missing", [&] { metadata_.require_uint("none"); }));
  EXPECT_TRUE(refuses("none is missing", [&] { metadata_.require_float("none"); }));
  EXPECT_TRUE(refuses("none is missing", [&] { metadata_.require_string("none"); }));
}

TEST_F(MetadataTest, HandsOutArraysOfExactlyTheirType) {
  metadata_.set("scores", MetadataArray{std::vector<float>{1, 2}});
  metadata_.set("count", uint8_t{2});
  EXPECT_EQ(metadata_.find_array<float>("scores")->size(), 2u);
  EXPECT_TRUE(refuses("scores", [&] { metadata_.find_array<double>("scores"); }));
  EXPECT_TRUE(refuses("count", [&] { metadata_.find_array<float>("count"); }));
}

TEST_F(MetadataTest, NamesTypesAsGgufNumbersThem) {
  EXPECT_EQ(metadata_type_name(uint8_t{0}), "u8");
  EXPECT_EQ(metadata_type_name(std::string()), "string");
  EXPECT_EQ(metadata_type_name(MetadataArray()), "array");
  EXPECT_EQ(metadata_type_name(0.0), "f64");
}

}  // namespace
}  // namespace nibble
