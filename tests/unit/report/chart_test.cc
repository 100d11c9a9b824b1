#include "report/chart.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace nibble {
namespace {

using Ticks = std::vector<double>;

TEST(LinearTicks, AreRoundNumbersInsideTheRange) {
  EXPECT_EQ(linear_ticks(0, 10, 5), (Ticks{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(linear_ticks(1.93, 7.4, 6), (Ticks{2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(linear_ticks(0.05, 0.32, 6), (Ticks{0.05, 0.1, 0.15, 0.2, 0.25, 0.3}));
  EXPECT_EQ(linear_ticks(1200, 2900, 6), (Ticks{1500, 2000, 2500}));
  EXPECT_EQ(linear_ticks(3, 3, 6), (Ticks{3}));
}

TEST(LogTicks, AreOneTwoAndFiveOfEachDecade) {
  EXPECT_EQ(log_ticks(0.004, 0.3), (Ticks{0.005, 0.01, 0.02, 0.05, 0.1, 0.2}));
  EXPECT_EQ(log_ticks(0.9, 30), (Ticks{1, 2, 5, 10, 20}));
}

Chart chart_of(std::vector<ChartPoint> points) {
  Chart chart;
  chart.id = "c";
  chart.title = "A <title>";
  chart.x_title = "x";
  chart.y_title = "y";
  chart.points = std::move(points);
  return chart;
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// The numbers after `before` in the order of the picture.
std::vector<double> numbers(const std::string& svg, const std::string& before) {
  std::vector<double> values;
  for (size_t at = svg.find(before); at != svg.npos; at = svg.find(before, at + 1))
    values.push_back(std::stod(svg.substr(at + before.size())));
  return values;
}

TEST(ChartSvg, DrawsSmallerValuesLowerAndMoreToTheLeft) {
  const std::string svg = chart_svg(chart_of({{.x = 1, .y = 0.1, .label = "a"},
                                              {.x = 2, .y = 0.01, .label = "b"},
                                              {.x = 4, .y = 0.001, .label = "c"}}));
  const auto x = numbers(svg, "cx=\""), y = numbers(svg, "cy=\"");
  ASSERT_EQ(x.size(), 3u);
  EXPECT_LT(x[0], x[1]);
  EXPECT_NEAR((x[2] - x[1]) / (x[1] - x[0]), 2, 0.02);  // the axis is linear
  EXPECT_LT(y[0], y[1]);
  EXPECT_NEAR((y[2] - y[1]) / (y[1] - y[0]), 1, 0.02);  // the axis is logarithmic
}

TEST(ChartSvg, LeavesOutWhatALogarithmicAxisHasNoPlaceFor) {
  EXPECT_EQ(count(chart_svg(chart_of({{.x = 1, .y = 0}, {.x = 2, .y = 0.1}, {.x = 3, .y = NAN}})),
                  "<circle"),
            1u);
  EXPECT_EQ(chart_svg(chart_of({{.x = 1, .y = 0}})), "");
  EXPECT_EQ(chart_svg(chart_of({})), "");
}

TEST(ChartSvg, SaysWhatEachPointIsAndEscapesIt) {
  const std::string svg =
      chart_svg(chart_of({{.x = 1, .y = 1, .label = "<b>", .detail = "x \"y\" & <z>"}}));
  EXPECT_NE(svg.find("aria-label=\"x &quot;y&quot; &amp; &lt;z&gt;\""), svg.npos);
  EXPECT_NE(svg.find("<title id=\"c-title\">A &lt;title&gt;</title>"), svg.npos);
  EXPECT_NE(svg.find("tabindex=\"0\""), svg.npos);
  EXPECT_EQ(svg.find("<b>"), svg.npos);
}

TEST(ChartSvg, JoinsTheFrontInStepsThatNeverClaimMoreThanWasMeasured) {
  std::vector<ChartPoint> points = {{.x = 1, .y = 0.1, .on_front = true},
                                    {.x = 2, .y = 0.01, .on_front = true},
                                    {.x = 3, .y = 0.05}};
  const auto path = [](const std::string& svg) {
    const size_t at = svg.find(" d=\"");
    return at == svg.npos ? std::string() : svg.substr(at + 4, svg.find('"', at + 4) - at - 4);
  };
  const std::string down = path(chart_svg(chart_of(points)));
  EXPECT_LT(down.find('H'), down.find('V'));  // right at the old divergence, then down
  Chart speed = chart_of(points);
  speed.front_to_the_right = true;
  const std::string up = path(chart_svg(speed));
  EXPECT_LT(up.find('V'), up.find('H'));
  points[1].on_front = false;
  EXPECT_EQ(path(chart_svg(chart_of(points))), "");  // one point is no line
}

TEST(ChartSvg, KeepsLabelsApart) {
  std::vector<ChartPoint> points;
  for (int i = 0; i < 4; ++i)
    points.push_back({.x = 1 + 0.01 * i, .y = 0.1, .label = "model " + std::to_string(i)});
  points.push_back({.x = 2, .y = 0.2, .label = "far"});
  const std::string svg = chart_svg(chart_of(points));
  std::vector<std::pair<double, double>> places;
  for (size_t at = svg.find("text-anchor=\"start\""); at != svg.npos;
       at = svg.find("text-anchor=\"start\"", at + 1)) {
    const size_t tag = svg.rfind("<text x=\"", at);
    const size_t y = svg.find("y=\"", tag);
    places.emplace_back(std::stod(svg.substr(tag + 9)), std::stod(svg.substr(y + 3)));
  }
  ASSERT_EQ(places.size(), 5u);
  for (size_t i = 0; i < places.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      const bool apart = std::abs(places[i].first - places[k].first) > 40 ||
                         std::abs(places[i].second - places[k].second) > 11;
      EXPECT_TRUE(apart) << i << " and " << k;
    }
  }
}

}  // namespace
}  // namespace nibble
