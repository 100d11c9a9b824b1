// Scatter charts as inline SVG. Colours come from the page's style sheet (html.cc), so that a chart
// is dark where the page is; each point can be reached with the keyboard and says what it is.
#pragma once

#include <string>
#include <vector>

namespace nibble {

struct ChartPoint {
  double x = 0;
  double y = 0;      // > 0: the axis is logarithmic
  double y_low = 0;  // error bar; not drawn unless 0 < y_low < y_high
  double y_high = 0;
  std::string label{};   // beside the point
  std::string detail{};  // the whole sentence that a pointer or a screen reader gets
  bool on_front = false;
};

struct Chart {
  std::string id;  // unique on the page
  std::string title;
  std::string description;
  std::string x_title;
  std::string y_title;
  double x_unit = 1;                // what the numbers at the axis count
  bool front_to_the_right = false;  // of a front larger x are better, not smaller
  std::vector<ChartPoint> points;
};

// Empty when no point can be drawn.
std::string chart_svg(const Chart& chart);

// Numbers to write at an axis: some round ones that cover [low, high].
std::vector<double> linear_ticks(double low, double high, int about);
std::vector<double> log_ticks(double low, double high);  // 1, 2 and 5 of each decade

}  // namespace nibble
