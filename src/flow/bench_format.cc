// The formats of a bench report. All but md come from one list of columns.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "nibble/bench.h"
#include "nibble/readable.h"

namespace nibble {
namespace {

using OrderedJson = nlohmann::ordered_json;

struct Column {
  const char* name;
  const char* sql_type;
  OrderedJson (*value)(const BenchReport& report, const BenchResult& result);
};

// Null when there is nothing to compare with, or when it is not known.
OrderedJson of_change(const BenchResult& result, double BenchChange::*figure) {
  if (!result.change || std::isnan((*result.change).*figure)) return nullptr;
  return (*result.change).*figure;
}

// The first kOfMachine are the same in each result: in JSON they stand beside the results.
constexpr size_t kOfMachine = 3;
constexpr Column kColumns[] = {
    {"version", "TEXT", [](auto& report, auto&) -> OrderedJson { return report.version; }},
    {"cpu", "TEXT", [](auto& report, auto&) -> OrderedJson { return report.machine.cpu; }},
    {"isa", "TEXT", [](auto& report, auto&) -> OrderedJson { return report.machine.isa; }},
    {"model", "TEXT", [](auto&, auto& result) -> OrderedJson { return result.model.string(); }},
    {"type", "TEXT", [](auto&, auto& result) -> OrderedJson { return result.type; }},
    {"weight_bytes", "INTEGER",
     [](auto&, auto& result) -> OrderedJson { return result.weight_bytes; }},
    {"parameters", "INTEGER", [](auto&, auto& result) -> OrderedJson { return result.parameters; }},
    {"threads", "INTEGER", [](auto&, auto& result) -> OrderedJson { return result.threads; }},
    {"kv_type", "TEXT", [](auto&, auto& result) -> OrderedJson { return result.kv_type; }},
    {"test", "TEXT", [](auto&, auto& result) -> OrderedJson { return result.test(); }},
    {"n_prompt", "INTEGER", [](auto&, auto& result) -> OrderedJson { return result.prompt; }},
    {"n_gen", "INTEGER", [](auto&, auto& result) -> OrderedJson { return result.generated; }},
    {"n_depth", "INTEGER", [](auto&, auto& result) -> OrderedJson { return result.depth; }},
    {"n_sequences", "INTEGER", [](auto&, auto& result) -> OrderedJson { return result.sequences; }},
    {"tokens_per_second", "REAL", [](auto&, auto& result) -> OrderedJson { return result.mean; }},
    {"stddev", "REAL", [](auto&, auto& result) -> OrderedJson { return result.deviation; }},
    {"median", "REAL", [](auto&, auto& result) -> OrderedJson { return result.median; }},
    {"samples", "TEXT", [](auto&, auto& result) -> OrderedJson { return result.samples; }},
    {"limited_by", "TEXT",
     [](auto&, auto& result) -> OrderedJson {
       return result.limited_by.empty() ? OrderedJson() : OrderedJson(result.limited_by);
     }},
    {"limit_tokens_per_second", "REAL",
     [](auto&, auto& result) -> OrderedJson {
       return result.limited_by.empty() ? OrderedJson()
                                        : OrderedJson(result.limit_tokens_per_second);
     }},
    {"share_of_limit", "REAL",
     [](auto&, auto& result) -> OrderedJson {
       return result.limited_by.empty() ? OrderedJson() : OrderedJson(result.share_of_limit);
     }},
    {"load_seconds", "REAL",
     [](auto&, auto& result) -> OrderedJson { return result.load_seconds; }},
    {"peak_memory_bytes", "INTEGER",
     [](auto&, auto& result) -> OrderedJson { return result.peak_memory_bytes; }},
    {"file_hash", "TEXT", [](auto&, auto& result) -> OrderedJson { return result.file_hash; }},
    {"load_type", "TEXT", [](auto&, auto& result) -> OrderedJson { return result.load_type; }},
    {"repacked", "BOOLEAN", [](auto&, auto& result) -> OrderedJson { return result.repacked; }},
    {"earlier_time", "TEXT",
     [](auto&, auto& result) -> OrderedJson {
       return result.change ? OrderedJson(result.change->time) : OrderedJson();
     }},
    {"earlier_version", "TEXT",
     [](auto&, auto& result) -> OrderedJson {
       return result.change ? OrderedJson(result.change->version) : OrderedJson();
     }},
    {"earlier_label", "TEXT",
     [](auto&, auto& result) -> OrderedJson {
       return result.change ? OrderedJson(result.change->label) : OrderedJson();
     }},
    {"earlier_tokens_per_second", "REAL",
     [](auto&, auto& result) { return of_change(result, &BenchChange::mean); }},
    {"change", "REAL", [](auto&, auto& result) { return of_change(result, &BenchChange::change); }},
    {"change_low", "REAL",
     [](auto&, auto& result) { return of_change(result, &BenchChange::low); }},
    {"change_high", "REAL",
     [](auto&, auto& result) { return of_change(result, &BenchChange::high); }},
    {"limit_change", "REAL",
     [](auto&, auto& result) { return of_change(result, &BenchChange::limit_change); }},
};
constexpr size_t kColumnCount = std::size(kColumns);

std::string dump(const OrderedJson& json, int indent = -1) {
  return json.dump(indent, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string nothing(const BenchReport&) { return ""; }

// A line of all columns, each as `cell` writes it.
template <class Cell>
std::string columns_line(const Cell& cell) {
  std::string line;
  for (const Column& column : kColumns) line += (line.empty() ? "" : ",") + cell(column);
  return line;
}

OrderedJson columns_object(const BenchReport& report, const BenchResult& result, size_t first) {
  OrderedJson object;
  for (size_t i = first; i < kColumnCount; ++i)
    object[kColumns[i].name] = kColumns[i].value(report, result);
  return object;
}

// A quotation mark inside a quoted text is written twice, in CSV (RFC 4180) as in SQL.
std::string quoted(const OrderedJson& value, char mark) {
  std::string text(1, mark);
  for (const char c : value.is_string() ? value.get<std::string>() : dump(value))
    text += c == mark ? std::string(2, mark) : std::string(1, c);
  return text + mark;
}

namespace csv {

std::string begin(const BenchReport&) {
  return columns_line([](const Column& column) { return std::string(column.name); }) + "\n";
}

std::string row(const BenchReport& report, const BenchResult& result) {
  return columns_line([&](const Column& column) {
           const OrderedJson value = column.value(report, result);
           return value.is_null()                           ? ""
                  : value.is_number() || value.is_boolean() ? dump(value)
                                                            : quoted(value, '"');
         }) +
         "\n";
}

}  // namespace csv

namespace json {

std::string no_row(const BenchReport&, const BenchResult&) { return ""; }

OrderedJson limits_object(const BenchLimits& limits) {
  return {{"threads", limits.threads},
          {"read_bytes_per_second", limits.read_bytes_per_second},
          {"int8_products_per_second", limits.int8_products_per_second},
          {"fp32_products_per_second", limits.fp32_products_per_second}};
}

std::string end(const BenchReport& report) {
  OrderedJson limits = OrderedJson::array(), results = OrderedJson::array();
  for (const BenchLimits& each : report.limits) limits.push_back(limits_object(each));
  for (const BenchResult& result : report.results)
    results.push_back(columns_object(report, result, kOfMachine));
  const Machine& machine = report.machine;
  return dump({{"version", report.version},
               {"machine", {{"cpu", machine.cpu}, {"isa", machine.isa}, {"cpus", machine.cpus}}},
               {"limits", limits},
               {"results", results}},
              2) +
         "\n";
}

}  // namespace json

namespace jsonl {

std::string row(const BenchReport& report, const BenchResult& result) {
  return dump(columns_object(report, result, 0)) + "\n";
}

}  // namespace jsonl

namespace sql {

std::string begin(const BenchReport&) {
  return "CREATE TABLE IF NOT EXISTS bench (" + columns_line([](const Column& column) {
           return fmt::format("{} {}", column.name, column.sql_type);
         }) +
         ");\n";
}

std::string row(const BenchReport& report, const BenchResult& result) {
  return "INSERT INTO bench VALUES (" + columns_line([&](const Column& column) {
           const OrderedJson value = column.value(report, result);
           return value.is_null()                           ? "NULL"
                  : value.is_number() || value.is_boolean() ? dump(value)
                                                            : quoted(value, '\'');
         }) +
         ");\n";
}

}  // namespace sql

namespace md {

std::string count_text(uint64_t count) {
  const auto millions = static_cast<double>(count) / 1e6;
  return millions < 1000 ? fmt::format("{:.2f} M", millions)
                         : fmt::format("{:.2f} B", millions / 1000);
}

// A name may hold what ends a cell.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return escaped;
}

std::string begin(const BenchReport&) {
  return "| model | type | size | weights | threads | kv | test | tokens/s | median | of limit |\n"
         "|---|---|---:|---:|---:|---|---|---:|---:|---:|\n";
}

std::string row(const BenchReport&, const BenchResult& r) {
  const std::string limit =
      r.limited_by.empty() ? "" : fmt::format("{:.0f} % {}", 100 * r.share_of_limit, r.limited_by);
  return fmt::format("| {} | {} | {} | {} | {} | {} | {} | {:.2f} ± {:.2f} | {:.2f} | {} |\n",
                     cell(r.model.filename().string()), r.type, readable_bytes(r.weight_bytes),
                     count_text(r.parameters), r.threads, r.kv_type, r.test(), r.mean, r.deviation,
                     r.median, limit);
}

std::string percent(double change) {
  return std::isnan(change) ? "unknown" : fmt::format("{:+.1f} %", 100 * change);
}

std::string change_row(const BenchResult& r) {
  const std::string begin = fmt::format("| {} | {} |", cell(r.model.filename().string()), r.test());
  if (!r.change) return begin + " none | | | | |\n";
  const BenchChange& c = *r.change;
  const std::string name = c.label.empty() ? c.version : c.version + ", " + c.label;
  const std::string interval =
      std::isnan(c.low)
          ? "unknown: one sample"
          : fmt::format("{:+.1f} to {:+.1f} %, {}", 100 * c.low, 100 * c.high,
                        c.is_beyond_spread() ? "beyond the spread" : "within the spread");
  return fmt::format("{} {} ({}) | {:.2f} | {} | {} | {} |\n", begin, c.time, cell(name), c.mean,
                     percent(c.change), interval, percent(c.limit_change));
}

std::string changes(const BenchReport& report) {
  if (report.compared_with.empty()) return "";
  std::string text =
      "\n| model | test | since | tokens/s then | change | 95 % interval | of the limit |\n"
      "|---|---|---|---:|---:|---|---:|\n";
  for (const BenchResult& result : report.results) text += change_row(result);
  return text;
}

std::string end(const BenchReport& report) {
  std::string text = changes(report);
  text += fmt::format("\n{}, {}\n", report.machine.cpu, report.machine.isa);
  for (const BenchLimits& limits : report.limits) {
    text +=
        fmt::format("limits, {} {}: read {:.1f} GB/s; products {:.0f} G/s int8, {:.0f} G/s fp32\n",
                    limits.threads, limits.threads == 1 ? "thread" : "threads",
                    limits.read_bytes_per_second / 1e9, limits.int8_products_per_second / 1e9,
                    limits.fp32_products_per_second / 1e9);
  }
  return text;
}

}  // namespace md

constexpr auto kFormats = std::to_array<BenchFormat>({
    {"md", md::begin, md::row, md::end},
    {"csv", csv::begin, csv::row, nothing},
    {"json", nothing, json::no_row, json::end},
    {"jsonl", nothing, jsonl::row, nothing},
    {"sql", sql::begin, sql::row, nothing},
});

}  // namespace

std::span<const BenchFormat> bench_formats() { return kFormats; }

}  // namespace nibble
