#include "report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "nibble/readable.h"
#include "report/chart.h"
#include "report/comparison_json.h"
#include "report/figures.h"
#include "report/style.h"
#include "report/tables.h"

namespace nibble {
namespace {

// --- the table ---

std::string cell(const std::string& text) { return fmt::format("<td>{}</td>", html_escape(text)); }

std::string cell(const Estimate& estimate, int digits, double unit = 1) {
  std::string range;
  if (estimate.low <= estimate.high) {
    range = fmt::format(R"( <span class="pm">± {}</span>)",
                        significant(unit * (estimate.high - estimate.low) / 2, 2));
  }
  return fmt::format("<td>{}{}</td>", significant(unit * estimate.value, digits), range);
}

struct Columns {
  bool speed = false;
  std::vector<std::string> tasks;
};

Columns columns_of(const Comparison& comparison) {
  Columns columns;
  columns.speed = comparison.reference.speed.has_value();
  for (const ComparedTask& task : comparison.reference.tasks)
    columns.tasks.push_back(fmt::format("{} {}", task.name, task.score));
  return columns;
}

std::string table_row(const ComparedModel& model, const Columns& columns, bool is_best) {
  std::string row = fmt::format(R"(<tr{}><th scope="row">{}</th>)",
                                is_best ? R"( class="best-row")" : "", html_escape(model.name));
  row += cell(readable_bytes(model.bytes)) + cell(fmt::format("{:.2f}", model.bits_per_weight)) +
         cell(model.perplexity, 5);
  if (model.divergence) {
    row += cell(model.divergence->kl_divergence, 3) +
           cell(significant(model.divergence->kl_percentiles.p99(), 3)) +
           cell(model.divergence->agreement, 4, 100) + cell(model.divergence->rms_delta_p, 3, 100);
  } else {
    for (int i = 0; i < 4; ++i) row += cell("–");
  }
  for (size_t i = 0; i < columns.tasks.size(); ++i) {
    row += i < model.tasks.size()
               ? fmt::format(R"(<td>{:.1f} <span class="pm">± {:.1f}</span></td>)",
                             100 * model.tasks[i].mean, 196 * model.tasks[i].error)
               : cell("–");
  }
  if (columns.speed && model.speed) {
    row += cell(significant(model.speed->prompt, 3)) +
           cell(significant(model.speed->generation, 3)) +
           cell(readable_bytes(model.speed->peak_memory_bytes));
  } else if (columns.speed) {
    for (int i = 0; i < 3; ++i) row += cell("–");
  }
  return row + "</tr>\n";
}

std::string table(const Comparison& comparison) {
  const Columns columns = columns_of(comparison);
  std::string html =
      "<p>Smallest first; ± is half of the 95 % confidence interval. Of the coloured ones no other "
      "file is both smaller and closer to the reference.</p>\n"
      R"(<div class="wide" tabindex="0" role="region" aria-label="All figures"><table>)"
      "<thead><tr>";
  std::vector<std::string> titles = {"model",
                                     "size",
                                     "bits per weight",
                                     "perplexity",
                                     "KL divergence",
                                     "KL, 99th percentile",
                                     "same top token, %",
                                     "RMS change of p, %"};
  for (const std::string& task : columns.tasks) titles.push_back(task + ", %");
  if (columns.speed) titles.insert(titles.end(), {"prompt, t/s", "generation, t/s", "peak memory"});
  for (const std::string& title : titles)
    html += fmt::format(R"(<th scope="col">{}</th>)", html_escape(title));
  html += "</tr></thead>\n<tbody>\n";
  const auto front = pareto_front(comparison);
  for (size_t i = 0; i < comparison.models.size(); ++i) {
    html += table_row(comparison.models[i], columns, std::ranges::find(front, i) != front.end());
  }
  return html + table_row(comparison.reference, columns, false) + "</tbody></table></div>\n";
}

// --- charts ---

ChartPoint point_of(const ComparedModel& model, double x, const std::string& what) {
  const Estimate& kl = model.divergence->kl_divergence;
  ChartPoint point{x, kl.value, kl.low, kl.high, model.name, "", false};
  point.detail =
      fmt::format("{}: {}, KL divergence {}", model.name, what, significant(kl.value, 3));
  if (kl.low <= kl.high) {
    point.detail +=
        fmt::format(" (95 % interval {} to {})", significant(kl.low, 3), significant(kl.high, 3));
  }
  return point;
}

Chart size_chart(const Comparison& comparison) {
  Chart chart;
  chart.id = "size";
  chart.title = "Size and divergence";
  chart.description =
      "Each file's size and its KL divergence from the reference, on a logarithmic axis. "
      "The dashed line joins the files that no other beats in both. The table has the figures.";
  chart.y_title = "KL divergence, nats a token";
  uint64_t largest = 0;
  for (const ComparedModel& model : comparison.models) largest = std::max(largest, model.bytes);
  const bool is_large = largest >= uint64_t{1} << 30;
  chart.x_unit = is_large ? 1 << 30 : 1 << 20;
  chart.x_title = is_large ? "size, GiB" : "size, MiB";
  for (const ComparedModel& model : comparison.models) {
    if (model.divergence) {
      chart.points.push_back(
          point_of(model, static_cast<double>(model.bytes), readable_bytes(model.bytes)));
    }
  }
  const auto front = pareto_front(comparison);
  for (const size_t i : front) {
    for (ChartPoint& point : chart.points)
      if (point.label == comparison.models[i].name) point.on_front = true;
  }
  return chart;
}

Chart speed_chart(const Comparison& comparison) {
  Chart chart;
  chart.id = "speed";
  chart.title = "Speed and divergence";
  chart.description =
      "How fast each file generates on this machine, and its KL divergence from the reference. "
      "The dashed line joins the files that no other beats in both. The table has the figures.";
  chart.y_title = "KL divergence, nats a token";
  chart.x_title = "generation, tokens a second";
  chart.front_to_the_right = true;
  for (const ComparedModel& model : comparison.models) {
    if (!model.divergence || !model.speed) continue;
    chart.points.push_back(
        point_of(model, model.speed->generation,
                 fmt::format("{} tokens a second", significant(model.speed->generation, 3))));
  }
  for (ChartPoint& point : chart.points) {
    point.on_front = std::ranges::none_of(chart.points, [&](const ChartPoint& other) {
      return other.x >= point.x && other.y <= point.y && (other.x > point.x || other.y < point.y);
    });
  }
  return chart;
}

std::string figure(const Chart& chart) {
  const std::string svg = chart_svg(chart);
  if (svg.empty()) return "";
  return fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n", svg,
                     html_escape(chart.description));
}

// --- layers ---

double largest_error(const Comparison& comparison) {
  double largest = 0;
  for (const ComparedModel& model : comparison.models) {
    for (const LayerDifference& layer : model.layers.layers)
      largest = std::max(largest, layer.relative_error);
  }
  return largest;
}

// Colours stand for errors on a logarithmic scale that spans three decades.
double heat(double error, double largest) {
  if (!(error > 0)) return 0;
  return std::clamp(1 + std::log10(error / largest) / 3, 0.0, 1.0) * 0.75;
}

std::string heat_map(const Comparison& comparison) {
  size_t layers = 0;
  for (const ComparedModel& model : comparison.models)
    layers = std::max(layers, model.layers.layers.size());
  if (layers == 0) return "";
  const double largest = largest_error(comparison);
  std::string html =
      "<h2 id=\"layers\">Layer by layer</h2>\n"
      "<p>Relative error of the residual stream after each layer, in percent of the reference's "
      "norm; darker is more, on a logarithmic scale.</p>\n"
      R"(<div class="wide" tabindex="0" role="region" aria-label="Errors by layer"><table class="heat">)"
      R"(<thead><tr><th scope="col">model</th>)";
  for (size_t i = 0; i < layers; ++i) html += fmt::format(R"(<th scope="col">{}</th>)", i);
  html += "</tr></thead>\n<tbody>\n";
  for (const ComparedModel& model : comparison.models) {
    if (model.layers.layers.empty()) continue;
    html += fmt::format(R"(<tr><th scope="row">{}</th>)", html_escape(model.name));
    for (const LayerDifference& layer : model.layers.layers) {
      html += fmt::format(R"(<td style="--v: {:.2f}" title="{}, layer {}: cosine {:.5f}">{}</td>)",
                          heat(layer.relative_error, largest), html_escape(model.name), layer.layer,
                          layer.cosine, significant(100 * layer.relative_error, 2));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

// --- types of tensors ---

// From red for one bit to violet for eight and more; families of types differ in lightness.
std::string colour_of(DType type) {
  const double bits = std::clamp(bits_per_weight(type), 1.5, 8.5);
  const double share = std::log(bits / 1.5) / std::log(8.5 / 1.5);
  const std::string_view name = dtype_name(type);
  const int lightness = name.starts_with("iq") ? 64 : name.find("_k") != name.npos ? 50 : 38;
  return fmt::format("hsl({:.0f} 62% {}%)", 275 * share, lightness);
}

std::string strip(const ComparedModel& model) {
  uint64_t bytes = 0;
  for (const TensorDifference& tensor : model.layers.tensors) bytes += tensor.bytes;
  std::string svg = fmt::format(
      R"(<svg class="strip" viewBox="0 0 1000 20" preserveAspectRatio="none" role="img" aria-label="{}: types of {} tensors">)",
      html_escape(model.name), model.layers.tensors.size());
  uint64_t at = 0;
  for (const TensorDifference& tensor : model.layers.tensors) {
    const double begin = 1000.0 * static_cast<double>(at) / static_cast<double>(bytes);
    at += tensor.bytes;
    const double end = 1000.0 * static_cast<double>(at) / static_cast<double>(bytes);
    svg += fmt::format(
        R"(<rect x="{:.2f}" width="{:.2f}" height="20" fill="{}"><title>{}: {}, {}, error {} %</title></rect>)",
        begin, std::max(end - begin - 0.3, 0.2), colour_of(tensor.type), html_escape(tensor.name),
        dtype_name(tensor.type), readable_bytes(tensor.bytes),
        significant(100 * tensor.relative_error, 3));
  }
  return svg + "</svg>";
}

std::string type_strips(const Comparison& comparison) {
  std::set<std::pair<double, DType>> types;
  std::string rows;
  for (const ComparedModel& model : comparison.models) {
    if (model.layers.tensors.empty()) continue;
    for (const TensorDifference& tensor : model.layers.tensors)
      types.insert({bits_per_weight(tensor.type), tensor.type});
    rows += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", html_escape(model.name),
                        strip(model));
  }
  if (rows.empty()) return "";
  std::string key = "<ul class=\"key\">";
  for (const auto& [bits, type] : types) {
    key += fmt::format(
        R"(<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" fill="{}"/></svg>{} ({} bits)</li>)",
        colour_of(type), dtype_name(type), significant(bits, 3));
  }
  return "<h2 id=\"types\">Which tensor has which type</h2>\n"
         "<p>Every matrix in the order of the file, as wide as its bytes are many.</p>\n" +
         key + "</ul>\n<div class=\"wide\"><table class=\"strips\"><tbody>\n" + rows +
         "</tbody></table></div>\n";
}

// --- continuations ---

std::string told(const ComparedModel& model, size_t prompt) {
  if (prompt >= model.continuations.size()) return "";
  const Continuation& c = model.continuations[prompt];
  const std::string note = c.differing.empty()
                               ? fmt::format("all {} tokens as the reference", c.same_tokens)
                               : fmt::format("{} tokens as the reference", c.same_tokens);
  std::string text = fmt::format(R"(<span class="same">{}</span>)", html_escape(c.same));
  if (!c.differing.empty()) {
    text += fmt::format(R"(<mark title="the first token that differs">{}</mark>{})",
                        html_escape(c.differing), html_escape(c.rest));
  }
  return fmt::format("<dt>{} <span class=\"pm\">{}</span></dt><dd>{}</dd>\n",
                     html_escape(model.name), note, text);
}

std::string continuations(const Comparison& comparison) {
  if (comparison.prompts.empty()) return "";
  std::string html =
      "<h2 id=\"continuations\">What they write</h2>\n"
      "<p>Greedy continuations; grey is what the reference writes, too, and the first token that "
      "differs is marked.</p>\n";
  for (size_t i = 0; i < comparison.prompts.size(); ++i) {
    html += fmt::format("<section class=\"told\"><h3>“{}”</h3><dl>\n",
                        html_escape(comparison.prompts[i]));
    if (i < comparison.reference.continuations.size()) {
      html += fmt::format("<dt>{} <span class=\"pm\">the reference</span></dt><dd>{}</dd>\n",
                          html_escape(comparison.reference.name),
                          html_escape(comparison.reference.continuations[i].same));
    }
    for (const ComparedModel& model : comparison.models) html += told(model, i);
    html += "</dl></section>\n";
  }
  return html;
}

std::string method(const Comparison& comparison) {
  std::string html = "<h2 id=\"method\">How it was measured</h2>\n<ul>\n";
  for (const std::string& sentence : how_measured(comparison))
    html += fmt::format("<li>{}</li>\n", html_escape(sentence));
  return html + "</ul>\n";
}

// The figures for programs, and for the next call. Nothing in it can end the element.
std::string data(const Comparison& comparison) {
  std::string json;
  for (const char c : comparison_json(comparison))
    json += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return fmt::format("{}{}{}\n", kDataBegin, json, kDataEnd);
}

}  // namespace

std::string comparison_html(const Comparison& comparison) {
  const std::string title =
      fmt::format("{} and {} of its files", comparison.reference.name, comparison.models.size());
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n<h1>{}</h1>\n"
      "<p class=\"soft\">How far each is from {}, and what it costs. Made by nibble {}.</p>\n",
      html_escape(title), kStyle, html_escape(title), html_escape(comparison.reference.name),
      html_escape(comparison.version));
  html += "<h2 id=\"figures\">Figures</h2>\n" + table(comparison);
  html += "<h2 id=\"charts\">Size, speed and divergence</h2>\n<div class=\"charts\">\n" +
          figure(size_chart(comparison)) + figure(speed_chart(comparison)) + "</div>\n";
  html += heat_map(comparison) + type_strips(comparison) + continuations(comparison) +
          method(comparison);
  return html + "</main>\n" + data(comparison) + "</body>\n</html>\n";
}

}  // namespace nibble
