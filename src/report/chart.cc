#include "report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/figures.h"

namespace nibble {
namespace {

// A chart is read on a phone, too: few units wide, so that letters stay large.
constexpr double kWidth = 430, kHeight = 350;
constexpr double kLeft = 74, kRight = 22, kTop = 14, kBottom = 52;
constexpr double kLetter = 7.4, kLine = 15;  // of a label

// A range of values along a stretch of the picture.
struct Axis {
  double low, high, begin, end;
  bool is_log;

  double at(double value) const {
    const auto scale = [&](double x) { return is_log ? std::log10(x) : x; };
    const double span = scale(high) - scale(low);
    return begin + (end - begin) * (span == 0 ? 0.5 : (scale(value) - scale(low)) / span);
  }
};

bool is_drawn(const ChartPoint& point) {
  return std::isfinite(point.x) && std::isfinite(point.y) && point.y > 0;
}
bool has_bar(const ChartPoint& point) { return point.y_low > 0 && point.y_low < point.y_high; }

Axis x_axis(const std::vector<ChartPoint>& points) {
  const auto [least, most] = std::ranges::minmax(points, {}, &ChartPoint::x);
  const double margin = std::max((most.x - least.x) * 0.08, std::abs(most.x) * 0.02);
  return {least.x - margin, most.x + 2 * margin, kLeft, kWidth - kRight, false};
}

Axis y_axis(const std::vector<ChartPoint>& points) {
  double least = INFINITY, most = 0;
  for (const ChartPoint& point : points) {
    least = std::min({least, point.y, has_bar(point) ? point.y_low : point.y});
    most = std::max({most, point.y, has_bar(point) ? point.y_high : point.y});
  }
  return {least / 1.3, most * 1.3, kHeight - kBottom, kTop, true};
}

std::string text_at(double x, double y, std::string_view anchor, std::string_view text,
                    std::string_view style = "") {
  return fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}"{}>{}</text>)", x, y, anchor,
                     style, html_escape(text));
}

std::string line(std::string_view style, double x1, double y1, double x2, double y2) {
  return fmt::format(R"(<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>)", style,
                     x1, y1, x2, y2);
}

std::string axes(const Chart& chart, const Axis& x, const Axis& y) {
  std::string svg = R"(<g aria-hidden="true">)";
  for (const double tick : linear_ticks(x.low / chart.x_unit, x.high / chart.x_unit, 6)) {
    const double at = x.at(tick * chart.x_unit);
    svg += line("grid", at, kTop, at, kHeight - kBottom);
    svg += text_at(at, kHeight - kBottom + 18, "middle", fmt::format("{}", tick));
  }
  for (const double tick : log_ticks(y.low, y.high)) {
    svg += line("grid", kLeft, y.at(tick), kWidth - kRight, y.at(tick));
    svg += text_at(kLeft - 6, y.at(tick) + 4, "end", fmt::format("{}", tick));
  }
  svg += line("axis", kLeft, kHeight - kBottom, kWidth - kRight, kHeight - kBottom);
  svg += line("axis", kLeft, kTop, kLeft, kHeight - kBottom);
  svg += text_at((kLeft + kWidth - kRight) / 2, kHeight - 8, "middle", chart.x_title,
                 R"( class="title")");
  svg += text_at(0, 0, "middle", chart.y_title,
                 fmt::format(R"svg( class="title" transform="translate(13 {:.0f}) rotate(-90)")svg",
                             (kTop + kHeight - kBottom) / 2));
  return svg + "</g>\n";
}

// Steps along the front: between two of its points one gets what the better one needs.
std::string front(const Chart& chart, std::vector<ChartPoint> points, const Axis& x,
                  const Axis& y) {
  std::erase_if(points, [](const ChartPoint& point) { return !point.on_front; });
  if (points.size() < 2) return "";
  std::ranges::sort(points, {}, &ChartPoint::x);
  std::string path;
  for (size_t i = 0; i < points.size(); ++i) {
    const double at_x = x.at(points[i].x), at_y = y.at(points[i].y);
    if (i == 0) {
      path = fmt::format("M{:.1f} {:.1f}", at_x, at_y);
    } else if (chart.front_to_the_right) {
      path += fmt::format("V{:.1f}H{:.1f}", at_y, at_x);
    } else {
      path += fmt::format("H{:.1f}V{:.1f}", at_x, at_y);
    }
  }
  return fmt::format(R"(<path class="front" aria-hidden="true" d="{}"/>)"
                     "\n",
                     path);
}

struct Box {
  double x, y, width;
  bool meets(const Box& other) const {
    return x < other.x + other.width && other.x < x + width && std::abs(y - other.y) < kLine;
  }
};

// Where a label of that length stands beside (x, y): the first place that is free. `level`: how far
// below the point those to its right and left begin.
Box place_label(double x, double y, double width, double level, const std::vector<Box>& taken) {
  const double right = x + 9, left = x - 9 - width;
  std::vector<Box> places;
  for (const double below : {level, 4.0, 17.0, -9.0, 30.0, -22.0, 43.0, -35.0, 56.0}) {
    places.push_back({right, y + below, width});
    places.push_back({left, y + below, width});
  }
  for (const Box& box : places) {
    if (box.x < kLeft || box.x + width > kWidth || box.y < kTop || box.y > kHeight - kBottom)
      continue;
    if (std::ranges::none_of(taken, [&](const Box& other) { return box.meets(other); })) return box;
  }
  return places[0];
}

// Labels stand beside the front, not on it.
std::string points_svg(const std::vector<ChartPoint>& points, bool front_to_the_right,
                       const Axis& x, const Axis& y) {
  const double level = front_to_the_right ? 17 : -9;
  std::vector<Box> taken;
  for (const ChartPoint& point : points)
    taken.push_back({x.at(point.x) - 6, y.at(point.y) + 4, 12});
  std::string svg;
  for (const ChartPoint& point : points) {
    const double at_x = x.at(point.x), at_y = y.at(point.y);
    const double width = kLetter * static_cast<double>(point.label.size());
    taken.push_back(place_label(at_x, at_y, width, level, taken));
    svg += fmt::format(
        R"(<g class="point{}" tabindex="0" role="img" aria-label="{}"><title>{}</title>)",
        point.on_front ? " best" : "", html_escape(point.detail), html_escape(point.detail));
    if (has_bar(point)) svg += line("error", at_x, y.at(point.y_low), at_x, y.at(point.y_high));
    svg += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="5"/>)", at_x, at_y);
    svg += text_at(taken.back().x, taken.back().y, "start", point.label);
    svg += "</g>\n";
  }
  return svg;
}

}  // namespace

std::vector<double> linear_ticks(double low, double high, int about) {
  if (!(high > low)) return {low};
  const double rough = (high - low) / about;
  const double decade = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * decade;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * decade >= rough) step = factor * decade;
  }
  std::vector<double> ticks;
  for (double k = std::ceil(low / step); k * step <= high; ++k) {
    // The nearest number that is written with few digits.
    ticks.push_back(step < 1 ? k / std::round(1 / step) : k * step);
  }
  return ticks;
}

std::vector<double> log_ticks(double low, double high) {
  std::vector<double> ticks;
  for (double decade = std::floor(std::log10(low)); decade <= std::log10(high); ++decade) {
    for (const int factor : {1, 2, 5}) {
      const double tick =
          decade < 0 ? factor / std::round(std::pow(10, -decade)) : factor * std::pow(10, decade);
      if (tick >= low && tick <= high) ticks.push_back(tick);
    }
  }
  return ticks;
}

std::string chart_svg(const Chart& chart) {
  std::vector<ChartPoint> points = chart.points;
  std::erase_if(points, [](const ChartPoint& point) { return !is_drawn(point); });
  if (points.empty()) return "";
  const Axis x = x_axis(points), y = y_axis(points);
  std::string svg = fmt::format(
      R"(<svg class="chart" viewBox="0 0 {} {}" role="group" aria-labelledby="{}-title {}-text">)"
      "\n"
      R"(<title id="{}-title">{}</title><desc id="{}-text">{}</desc>)"
      "\n",
      kWidth, kHeight, chart.id, chart.id, chart.id, html_escape(chart.title), chart.id,
      html_escape(chart.description));
  svg += axes(chart, x, y) + front(chart, points, x, y) +
         points_svg(points, chart.front_to_the_right, x, y);
  return svg + "</svg>\n";
}

}  // namespace nibble
