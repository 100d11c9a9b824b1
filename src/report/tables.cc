#include "report/tables.h"

#include <fmt/format.h>

#include <cmath>

#include "nibble/readable.h"
#include "report/figures.h"

namespace nibble {
namespace {

// "0.0123 ± 0.0004": half of the 95 % interval, or the standard error where there is none.
std::string with_interval(const Estimate& estimate, int digits, double unit = 1) {
  const double half =
      estimate.low <= estimate.high ? (estimate.high - estimate.low) / 2 : 1.96 * estimate.error;
  return fmt::format("{} ± {}", significant(unit * estimate.value, digits),
                     significant(unit * half, 2));
}

std::string markdown_tasks(const ComparedModel& model) {
  std::string cells;
  for (const ComparedTask& task : model.tasks)
    cells += fmt::format(" {:.1f} ± {:.1f} |", 100 * task.mean, 196 * task.error);
  return cells;
}

std::string markdown_row(const ComparedModel& model, bool has_speed) {
  std::string row =
      fmt::format("| {} | {} | {:.2f} | {} |", model.name, readable_bytes(model.bytes),
                  model.bits_per_weight, with_interval(model.perplexity, 5));
  if (model.divergence) {
    const Divergence& d = *model.divergence;
    row += fmt::format(" {} | {} | {} | {} |", with_interval(d.kl_divergence, 4),
                       significant(d.kl_percentiles.p99(), 3), with_interval(d.agreement, 4, 100),
                       significant(100 * d.rms_delta_p.value, 3));
  } else {
    row += " | | | |";
  }
  row += markdown_tasks(model);
  if (!has_speed) return row + "\n";
  if (!model.speed) return row + " | | |\n";
  return row + fmt::format(" {} | {} | {} |\n", significant(model.speed->prompt, 3),
                           significant(model.speed->generation, 3),
                           readable_bytes(model.speed->peak_memory_bytes));
}

bool has_speed(const Comparison& comparison) {
  if (comparison.reference.speed) return true;
  for (const ComparedModel& model : comparison.models)
    if (model.speed) return true;
  return false;
}

// A quotation mark inside a quoted text is written twice (RFC 4180).
std::string csv_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "";
}

std::string csv_estimate(const Estimate& estimate) {
  return fmt::format("{},{},{},{}", csv_number(estimate.value), csv_number(estimate.error),
                     csv_number(estimate.low), csv_number(estimate.high));
}

std::string csv_row(const ComparedModel& model) {
  std::string row = fmt::format("{},{},{},{},{},{},", csv_text(model.name),
                                csv_text(model.path.string()), csv_text(model.type), model.bytes,
                                csv_number(model.bits_per_weight), csv_estimate(model.perplexity));
  if (model.divergence) {
    const Divergence& d = *model.divergence;
    row += fmt::format("{},{},{},{},{},{},", csv_estimate(d.kl_divergence),
                       csv_number(d.kl_percentiles.median()), csv_number(d.kl_percentiles.p99()),
                       csv_number(d.kl_percentiles.maximum()), csv_estimate(d.agreement),
                       csv_estimate(d.rms_delta_p));
  } else {
    row += ",,,,,,,,,,,,,,,";
  }
  row += !model.speed
             ? ",,"
             : fmt::format("{},{},{}", csv_number(model.speed->prompt),
                           csv_number(model.speed->generation), model.speed->peak_memory_bytes);
  for (const ComparedTask& task : model.tasks)
    row += fmt::format(",{},{},{}", csv_number(task.mean), csv_number(task.error), task.agreement);
  return row + "\n";
}

std::string four(const std::string& name) {
  return fmt::format("{0},{0}_error,{0}_low,{0}_high", name);
}

}  // namespace

std::string comparison_markdown(const Comparison& comparison) {
  const bool speed = has_speed(comparison);
  std::string text =
      "| model | size | bits/weight | perplexity | KL divergence | KL p99 | same top token, % | "
      "RMS change of p, % |";
  for (const ComparedTask& task : comparison.reference.tasks)
    text += fmt::format(" {} {}, % |", task.name, task.score);
  if (speed) text += " prompt t/s | generation t/s | peak memory |";
  text += "\n|---|--:|--:|--:|--:|--:|--:|--:|";
  for (size_t i = 0; i < comparison.reference.tasks.size(); ++i) text += "--:|";
  if (speed) text += "--:|--:|--:|";
  text += "\n";
  for (const ComparedModel& model : comparison.models) text += markdown_row(model, speed);
  text += markdown_row(comparison.reference, speed) + "\n";
  for (const std::string& sentence : how_measured(comparison)) text += sentence + "\n";
  return text;
}

std::string comparison_csv(const Comparison& comparison) {
  std::string text = "name,path,type,bytes,bits_per_weight," + four("perplexity") + "," +
                     four("kl_divergence") + ",kl_median,kl_p99,kl_max," + four("agreement") + "," +
                     four("rms_delta_p") +
                     ",prompt_tokens_per_second,generation_tokens_per_second,peak_memory_bytes";
  for (const ComparedTask& task : comparison.reference.tasks) {
    const std::string name = fmt::format("{}_{}", task.name, task.score);
    text += fmt::format(",{0},{0}_error,{0}_agreement", name);
  }
  text += "\n";
  for (const ComparedModel& model : comparison.models) text += csv_row(model);
  return text + csv_row(comparison.reference);
}

std::vector<std::string> how_measured(const Comparison& c) {
  std::vector<std::string> sentences = {
      fmt::format("Measured with nibble {} on {} ({}, {} threads).", c.version, c.machine.cpu,
                  c.machine.isa, c.threads),
      fmt::format(
          "Text: {} (SHA-256 {}…), {} windows of {} tokens, the second half of each scored: "
          "{} tokens.",
          c.text_name, c.text_sha256.substr(0, 16), c.windows, c.context, c.scored_tokens),
      fmt::format(
          "Reference: {}. KL divergence is KL(reference || model) in nats a token; ± is half "
          "of the 95 % confidence interval, from how windows differ. The same windows for "
          "all: differences between models are surer than each figure.",
          c.reference.name)};
  if (const auto& speed = c.reference.speed) {
    sentences.push_back(fmt::format(
        "Speed: prompts of {} tokens, {} generated tokens, medians; peak memory of that "
        "run, with files that are read in place.",
        speed->prompt_tokens, speed->generated_tokens));
  }
  return sentences;
}

}  // namespace nibble
