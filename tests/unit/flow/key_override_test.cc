// KEY=TYPE:VALUE.
#include "flow/key_override.h"

#include <gtest/gtest.h>

#include "support/files.h"

namespace nibble {
namespace {

std::string type_after(Metadata metadata, const std::string& text) {
  KeyOverride(text).apply_to(metadata);
  return std::string(metadata_type_name(*metadata.find("k")));
}

TEST(KeyOverride, TakesTheTypeThatHoldsTheValue) {
  EXPECT_EQ(type_after({}, "k=int:7"), "u32");
  EXPECT_EQ(type_after({}, "k=int:-7"), "i32");
  EXPECT_EQ(type_after({}, "k=int:5000000000"), "u64");
  EXPECT_EQ(type_after({}, "k=int:-5000000000"), "i64");
  EXPECT_EQ(type_after({}, "k=float:0.5"), "f32");
  EXPECT_EQ(type_after({}, "k=bool:true"), "bool");
  EXPECT_EQ(type_after({}, "k=str:a=b:c"), "string");
}

TEST(KeyOverride, KeepsTheTypeOfTheKeyWhereItHoldsTheValue) {
  Metadata metadata;
  metadata.set("k", uint8_t{1});
  EXPECT_EQ(type_after(metadata, "k=int:255"), "u8");
  EXPECT_EQ(type_after(metadata, "k=int:256"), "u32");
  metadata.set("k", 1.0);
  EXPECT_EQ(type_after(metadata, "k=float:0.5"), "f64");
}

TEST(KeyOverride, SetsTheValue) {
  Metadata metadata;
  KeyOverride("a.b=str:x=1").apply_to(metadata);
  KeyOverride("n=int:-3").apply_to(metadata);
  EXPECT_EQ(metadata.find_string("a.b"), "x=1");
  EXPECT_EQ(std::get<int32_t>(*metadata.find("n")), -3);
}

TEST(KeyOverride, RefusesTextOfAnotherForm) {
  for (const char* text : {"", "k", "k=7", "=int:7", "k=int:", "k=int:7x", "k=int:0.5",
                           "k=float:", "k=bool:1", "k=u32:7", "k=int:99999999999999999999"}) {
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"override", text}, [&] { KeyOverride o(text); }))
        << text;
  }
}

}  // namespace
}  // namespace nibble
