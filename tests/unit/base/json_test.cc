#include "base/json.h"

#include <gtest/gtest.h>

#include "support/files.h"

namespace nibble {
namespace {

JsonObject object_of(const Json& json) { return JsonObject(json, "config.json"); }

TEST(ParseJson, NamesTheFileAndTheByteOfASyntaxError) {
  for (const char* text : {"", "{", "{\"a\": }", "[1, 2", "{} {}", "nul", "\"\xff\""}) {
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"config.json", "byte"}, [&] {
      parse_json(text, "config.json");
    })) << text;
  }
}

TEST(ParseJson, BoundsTheNesting) {
  const auto nested = [](size_t depth) {
    return parse_json(std::string(depth, '[') + std::string(depth, ']'), "deep.json");
  };
  EXPECT_TRUE(nested(64).is_array());
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"deep.json", "64"}, [&] { nested(65); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"deep.json"}, [&] { nested(10'000'000); }));
  const std::string brackets = "\"" + std::string(100, '[') + "\\\"" + std::string(100, '{') + "\"";
  EXPECT_TRUE(parse_json(brackets, "text.json").is_string());
}

TEST(JsonObject, ReadsTypedFields) {
  const Json json = parse_json(R"({"u": 7, "f": 0.5, "i": 2, "b": true, "s": "x"})", "config.json");
  const JsonObject object = object_of(json);
  EXPECT_EQ(object.require_uint("u"), 7u);
  EXPECT_EQ(object.require_float("f"), 0.5);
  EXPECT_EQ(object.require_float("i"), 2.0);
  EXPECT_EQ(object.find_bool("b"), true);
  EXPECT_EQ(object.require_string("s"), "x");
}

TEST(JsonObject, TreatsNullAsMissing) {
  const Json json = parse_json(R"({"x": null})", "config.json");
  EXPECT_EQ(object_of(json).find("x"), nullptr);
  EXPECT_EQ(object_of(json).find_uint("x"), std::nullopt);
  for (const char* key : {"x", "y"}) {
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"config.json", key, "missing"},
                           [&] { object_of(json).require_uint(key); }));
  }
}

TEST(JsonObject, RefusesAFieldOfAnotherType) {
  const Json json = parse_json(R"({"x": -1, "y": 1.5, "z": "8", "b": 1})", "config.json");
  const JsonObject object = object_of(json);
  for (const char* key : {"x", "y", "z"}) {
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"config.json", key, "integer"},
                           [&] { object.find_uint(key); }));
  }
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"z", "\"8\"", "number"},
                         [&] { object.find_float("z"); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"b", "true"}, [&] { object.find_bool("b"); }));
  EXPECT_TRUE(
      fails_with(ErrorCode::kInvalidFile, {"y", "string"}, [&] { object.find_string("y"); }));
}

TEST(JsonObject, RefusesWhatIsNoObject) {
  const Json json = parse_json("[1]", "config.json");
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"config.json", "array", "object"},
                         [&] { object_of(json); }));
}

}  // namespace
}  // namespace nibble
