#include "base/json.h"

#include <gtest/gtest.h>

#include "support/files.h"

namespace nibble {
namespace {

testing::AssertionResult refuses(const std::string& text, const std::vector<std::string>& fragments,
                                 DuplicateKeys duplicates = DuplicateKeys::kLastWins) {
  return fails_with(ErrorCode::kInvalidFile, fragments,
                    [&] { parse_json(text, "c.json", duplicates); });
}

TEST(ParseJson, ReadsValues) {
  EXPECT_EQ(parse_json(R"({"a":[1,2.5,"x",null,true]})", "c.json")["a"].size(), 5u);
}

TEST(ParseJson, NamesFileAndByteOfAnError) {
  EXPECT_TRUE(refuses("", {"c.json", "byte 1"}));
  EXPECT_TRUE(refuses(R"({"a":1,})", {"c.json", "byte 8"}));
  EXPECT_TRUE(refuses("{} x", {"c.json", "byte 4"}));
  EXPECT_TRUE(refuses("\"\xff\"", {"c.json", "not valid JSON"}));
}

TEST(ParseJson, RefusesANumberBeyondDouble) {
  EXPECT_TRUE(refuses("[1e999]", {"c.json", "too large"}));
}

TEST(ParseJson, RefusesDeepNesting) {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') +
           std::string(static_cast<size_t>(depth), ']');
  };
  EXPECT_TRUE(parse_json(nested(64), "c.json").is_array());
  EXPECT_TRUE(refuses(nested(65), {"c.json", "deeper than 64"}));
  EXPECT_TRUE(refuses(std::string(1000000, '['), {"c.json", "deeper than 64"}));
}

TEST(ParseJson, DoesNotCountBracketsInStrings) {
  EXPECT_TRUE(parse_json("\"\\\"" + std::string(100, '[') + "\"", "c.json").is_string());
}

TEST(ParseJson, TakesTheLastOfDuplicateKeysUnlessTold) {
  EXPECT_EQ(parse_json(R"({"a":1,"a":2})", "c.json")["a"], 2);
  EXPECT_TRUE(
      refuses(R"({"a":1,"a":2})", {"c.json", "\"a\" stands twice"}, DuplicateKeys::kRefuse));
  EXPECT_TRUE(
      refuses(R"([{"b":{"a":1,"\u0061":2}}])", {"\"a\" stands twice"}, DuplicateKeys::kRefuse));
}

TEST(ParseJson, AllowsTheSameKeyInDifferentObjects) {
  const std::string text = R"({"a":{"a":1},"b":[{"a":1},{"a":1}]})";
  EXPECT_EQ(parse_json(text, "c.json", DuplicateKeys::kRefuse), parse_json(text, "c.json"));
}

class JsonObjectTest : public testing::Test {
 protected:
  testing::AssertionResult refuses_field(const char* field, const std::function<void()>& action) {
    return fails_with(ErrorCode::kInvalidFile, {"c.json", field}, action);
  }

  const Json json_ = parse_json(
      R"({"count":3,"negative":-3,"half":0.5,"yes":true,"name":"x","nothing":null})", "c.json");
  const JsonObject object_{json_, "c.json"};
};

TEST_F(JsonObjectTest, ReadsTypedFields) {
  EXPECT_EQ(object_.find_uint("count"), 3u);
  EXPECT_EQ(object_.find_float("half"), 0.5);
  EXPECT_EQ(object_.find_float("count"), 3.0);
  EXPECT_EQ(object_.find_bool("yes"), true);
  EXPECT_EQ(object_.find_string("name"), "x");
  EXPECT_EQ(object_.require_uint("count"), 3u);
  EXPECT_EQ(object_.require_float("half"), 0.5);
  EXPECT_EQ(object_.require_string("name"), "x");
}

TEST_F(JsonObjectTest, TakesNullForMissing) {
  EXPECT_EQ(object_.find("nothing"), nullptr);
  EXPECT_EQ(object_.find_uint("nothing"), std::nullopt);
  EXPECT_EQ(object_.find_string("none"), std::nullopt);
  EXPECT_TRUE(refuses_field("\"nothing\" is missing", [&] { object_.require("nothing"); }));
  EXPECT_TRUE(refuses_field("\"none\" is missing", [&] { object_.require_uint("none"); }));
}

TEST_F(JsonObjectTest, RefusesAnotherType) {
  EXPECT_TRUE(refuses_field("\"negative\": found -3", [&] { object_.find_uint("negative"); }));
  EXPECT_TRUE(refuses_field("\"half\": found 0.5", [&] { object_.find_uint("half"); }));
  EXPECT_TRUE(refuses_field("\"name\"", [&] { object_.find_float("name"); }));
  EXPECT_TRUE(refuses_field("\"count\"", [&] { object_.find_bool("count"); }));
  EXPECT_TRUE(refuses_field("\"yes\"", [&] { object_.find_string("yes"); }));
}

TEST_F(JsonObjectTest, IsAnObject) {
  const Json list = Json::array();
  EXPECT_TRUE(refuses_field("expected an object", [&] { JsonObject object(list, "c.json"); }));
}

}  // namespace
}  // namespace nibble
