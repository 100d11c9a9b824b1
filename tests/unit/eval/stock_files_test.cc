#include "eval/stock_files.h"

#include <gtest/gtest.h>

#include "support/files.h"

namespace nibble {
namespace {

using Strings = std::vector<std::string>;

std::string u32(uint32_t value) {
  std::string bytes(sizeof(value), '\0');
  std::memcpy(bytes.data(), &value, sizeof(value));
  return bytes;
}

std::string counted(const std::string& text) {
  return u32(static_cast<uint32_t>(text.size())) + text;
}

std::string answers(const Strings& texts, const std::vector<uint32_t>& labels) {
  std::string bytes = u32(static_cast<uint32_t>(texts.size()));
  for (const std::string& text : texts) bytes += counted(text);
  for (const uint32_t label : labels) bytes += u32(label);
  return bytes;
}

std::string one_item(const std::string& item) { return u32(1) + u32(8) + item; }

const std::string kItem = counted("Q?") + answers({"x", "yy"}, {0, 1}) + answers({}, {});

TEST(HellaSwagText, HasSixLinesAnItem) {
  const auto items = read_hellaswag_text("c\n2\na\nb\nc\nd\r\nC\n0 \n\nb\nc\nd", "h.txt").choices;
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].choices, (Strings{"a", "b", "c", "d"}));
  EXPECT_EQ(items[0].right, std::vector<size_t>{2});
  EXPECT_EQ(items[1].choices, (Strings{"", "b", "c", "d"}));
  for (const char* bad : {"", "c\n2\na\nb\nc\n"})
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"h.txt", "expected 6"},
                           [&] { read_hellaswag_text(bad, "h.txt"); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"line 2", "found 4"},
                         [] { read_hellaswag_text("c\n4\na\nb\nc\nd\n", "h.txt"); }));
}

TEST(WinoGrandeCsv, SplitsAtCommasOutsideQuotes) {
  const auto items =
      read_winogrande_csv("0,\"So, _ fell, and\"\" broke.\",cup,mat,2\n1,_ is,a,b,1\n", "w.csv")
          .choices;
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].choices, (Strings{"So, cup", "So, mat"}));
  EXPECT_EQ(items[0].ending, " fell, and\"\" broke.");
  EXPECT_EQ(items[0].right, std::vector<size_t>{1});
  EXPECT_EQ(items[1].choices, (Strings{"a", "b"}));
  const std::vector<std::pair<const char*, const char*>> bad = {
      {"\n", "no items"},
      {"0,_ is,a,b", "line 1: expected five fields"},
      {"0,none,a,b,1", "has no _"},
      {"0,is _,a,b,1", "nothing follows"},
      {"0,_ is,a,b,3", "expected 1 or 2"}};
  for (const auto& [text, message] : bad)
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"w.csv", message},
                           [&, &t = text] { read_winogrande_csv(t, "w.csv"); }));
}

TEST(McBinary, HoldsQuestionsAndLabelledAnswers) {
  const auto items = read_mc_binary(u32(2) + u32(12) + u32(0) + kItem + kItem, "m.bin").choices;
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[1].id, "1");
  EXPECT_EQ(items[1].context, "Q?");
  EXPECT_EQ(items[1].choices, (Strings{"x", "yy"}));
  EXPECT_EQ(items[1].right, std::vector<size_t>{1});
}

TEST(McBinary, IsReadNoFurtherThanItGoes) {
  const std::string whole = one_item(kItem);
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"m.bin"}, [&] {
      read_mc_binary(whole.substr(0, size), "m.bin");
    })) << size;
  }
}

TEST(McBinary, RefusesItemsThatCannotBeAnswered) {
  const std::vector<std::pair<std::string, const char*>> bad = {
      {u32(0), "there are none"},
      {u32(0xFFFFFFFF), "m.bin"},
      {one_item(counted("Q?") + u32(101)), "found 101 answers"},
      {one_item(counted("Q?") + answers({"x", "y"}, {0, 0}) + answers({}, {})), "right"},
      {one_item(counted("Q?") + answers({"x"}, {1}) + answers({}, {})), "two or more"},
      {one_item(counted("Q?") + answers({"x", ""}, {1, 0}) + answers({}, {})), "item 0"},
      {one_item(counted("") + answers({"x", "y"}, {1, 0}) + answers({}, {})), "item 0"}};
  for (const auto& [bytes, message] : bad)
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"m.bin", message},
                           [&, &b = bytes] { read_mc_binary(b, "m.bin"); }));
}

}  // namespace
}  // namespace nibble
