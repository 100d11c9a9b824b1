#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "nibble/compare.h"
#include "report/comparison_json.h"
#include "report/figures.h"
#include "report/html.h"
#include "report/tables.h"
#include "support/comparison.h"
#include "support/files.h"

namespace nibble {
namespace {

TEST(Figures, AreAsLongAsTheyAreSure) {
  EXPECT_EQ(significant(0.0123456, 3), "0.0123");
  EXPECT_EQ(significant(1234.56, 3), "1235");
  EXPECT_EQ(significant(9.5, 3), "9.50");
  EXPECT_EQ(significant(0.0999, 2), "0.10");
  EXPECT_EQ(significant(-99.96, 3), "-100");
  EXPECT_EQ(significant(0, 3), "0");
  EXPECT_EQ(significant(NAN, 3), "-");
  EXPECT_EQ(html_escape("a<b>&\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
}

TEST(ParetoFront, HasWhatNoOtherBeatsInSizeAndDivergence) {
  EXPECT_EQ(pareto_front(made_up_comparison()), (std::vector<size_t>{0, 2}));
}

TEST(ParetoFront, KeepsTheBetterOfTwoFilesOfOneSize) {
  Comparison comparison = made_up_comparison();
  comparison.models = {made_up_model("a", 100, 0.2), made_up_model("b", 100, 0.1),
                       made_up_model("c", 200, 0.1)};
  EXPECT_EQ(pareto_front(comparison), (std::vector<size_t>{1}));
  comparison.models[1].divergence.reset();
  EXPECT_EQ(pareto_front(comparison), (std::vector<size_t>{0, 2}));
}

// All that a report says is in it: read back and written again it is the same.
TEST(ComparisonJson, ComesBackWhole) {
  const Comparison comparison = made_up_comparison();
  const std::string json = comparison_json(comparison);
  EXPECT_EQ(comparison_json(parse_comparison(json, "x.json")), json);
  const auto parsed = nlohmann::json::parse(json);
  EXPECT_EQ(parsed["models"][0]["divergence"]["kl_divergence"]["mean"], 0.01);
  EXPECT_TRUE(parsed["models"][0]["layers"]["tensors"][1]["weighted_error"].is_null());
  EXPECT_FALSE(parsed["reference"].contains("divergence"));
}

TEST(ComparisonHtml, HoldsTheComparisonForTheNextCall) {
  const Comparison comparison = made_up_comparison();
  const std::string html = comparison_html(comparison);
  EXPECT_EQ(comparison_json(parse_comparison(html, "x.html")), comparison_json(comparison));
}

TEST(ComparisonHtml, IsOnePageThatNeedsNothingElse) {
  const std::string html = comparison_html(made_up_comparison());
  EXPECT_TRUE(html.starts_with("<!doctype html>"));
  for (const char* outside : {"http:", "https:", "src=", "href=", "@import", "url("})
    EXPECT_EQ(html.find(outside), html.npos) << outside;
}

TEST(ComparisonHtml, EscapesWhatComesFromOutside) {
  Comparison comparison = made_up_comparison();
  comparison.models[0].name = "</script><script>alert(1)</script>";
  comparison.prompts = {"<img onerror=x>"};
  const std::string html = comparison_html(comparison);
  EXPECT_EQ(html.find("<script>alert"), html.npos);
  EXPECT_EQ(html.find("<img"), html.npos);
  EXPECT_EQ(parse_comparison(html, "x").models[0].name, comparison.models[0].name);
}

TEST(ComparisonHtml, MarksTheFirstTokenThatDiffers) {
  const std::string html = comparison_html(made_up_comparison());
  EXPECT_NE(
      html.find("and then </span><mark title=\"the first token that differs\">she</mark> went "
                "&lt;home&gt;"),
      html.npos);
}

TEST(ComparisonMarkdown, IsATableWithARowForEachModelAndTheReference) {
  const std::string text = comparison_markdown(made_up_comparison());
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  const auto columns = [](const std::string& line) { return std::ranges::count(line, '|'); };
  for (size_t i = 1; i < 6; ++i) EXPECT_EQ(columns(lines[i]), columns(lines[0])) << lines[i];
  EXPECT_NE(lines[2].find("| small | 4.00 MiB | 5.00 | 6.2500 ± 0.10 | 0.01000 ± 0.0010 |"),
            text.npos)
      << lines[2];
}

TEST(ComparisonCsv, HasAsManyFieldsInEachLine) {
  const std::string text = comparison_csv(made_up_comparison());
  std::vector<std::ptrdiff_t> commas;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    commas.push_back(std::ranges::count(text.substr(at, end - at), ','));
    at = end + 1;
  }
  EXPECT_EQ(commas, std::vector<std::ptrdiff_t>(5, commas[0]));
}

TEST(ParseComparison, SaysWhatIsWrong) {
  const auto wrong = [](const std::string& text, const std::string& what) {
    return fails_with(ErrorCode::kInvalidFile, {"old.html", what},
                      [&] { parse_comparison(text, "old.html"); });
  };
  EXPECT_TRUE(wrong("<html></html>", ""));
  EXPECT_TRUE(wrong("{}", "format"));
  auto json = nlohmann::json::parse(comparison_json(made_up_comparison()));
  json["models"][0]["layers"]["tensors"][0]["type"] = "q77";
  EXPECT_TRUE(wrong(json.dump(), "type"));
  json["models"] = 3;
  EXPECT_TRUE(wrong(json.dump(), "models"));
  json["format"] = 2;
  EXPECT_TRUE(fails_with(ErrorCode::kUnsupported, {"format 2"},
                         [&] { parse_comparison(json.dump(), "old.html"); }));
}

}  // namespace
}  // namespace nibble
