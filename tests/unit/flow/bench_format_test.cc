// Each format is read back as those who take it do.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "nibble/bench.h"

namespace nibble {
namespace {

const std::vector<std::string> kColumns = {"version",
                                           "cpu",
                                           "isa",
                                           "model",
                                           "type",
                                           "weight_bytes",
                                           "parameters",
                                           "threads",
                                           "kv_type",
                                           "test",
                                           "n_prompt",
                                           "n_gen",
                                           "n_depth",
                                           "n_sequences",
                                           "tokens_per_second",
                                           "stddev",
                                           "median",
                                           "samples",
                                           "limited_by",
                                           "limit_tokens_per_second",
                                           "share_of_limit",
                                           "load_seconds",
                                           "peak_memory_bytes",
                                           "file_hash",
                                           "load_type",
                                           "repacked",
                                           "earlier_time",
                                           "earlier_version",
                                           "earlier_label",
                                           "earlier_tokens_per_second",
                                           "change",
                                           "change_low",
                                           "change_high",
                                           "limit_change"};

// Names hold what each format must escape.
BenchReport report_with_awkward_names() {
  BenchReport report;
  report.version = "1.2";
  report.compared_with = "latest";
  report.machine = {"Intel \"Xeon\", fast", "avx512", 2};
  report.limits = {{2, 32e9, 9e11, 2.25e11}};
  BenchResult prompt;
  prompt.model = "a|b/it's \"4\", q.gguf";
  prompt.type = "q4_0";
  prompt.file_hash = "0123456789abcdef";
  prompt.repacked = true;
  prompt.weight_bytes = 2 << 20;
  prompt.parameters = 1500000;
  prompt.load_seconds = 0.25;
  prompt.peak_memory_bytes = 3000000;
  prompt.threads = 2;
  prompt.kv_type = "f16";
  prompt.prompt = 512;
  prompt.samples = {100, 102.5};
  prompt.mean = 101.25;
  prompt.deviation = 1.75;
  prompt.median = 101.25;
  prompt.limited_by = "int8";
  prompt.limit_tokens_per_second = 202.5;
  prompt.share_of_limit = 0.5;
  BenchResult generation = prompt;
  prompt.change = BenchChange{.time = "2026-08-30T12:00:00Z",
                              .version = "1.1",
                              .label = "b|c",
                              .mean = 90,
                              .change = 0.125,
                              .low = 0.0625,
                              .high = 0.25,
                              .limit_change = NAN};
  generation.prompt = 0;
  generation.generated = 64;
  generation.depth = 4096;
  generation.limited_by = "";
  report.results = {prompt, generation};
  return report;
}

class BenchFormatTest : public testing::Test {
 protected:
  std::string print(std::string_view name) const {
    const auto formats = bench_formats();
    const auto format =
        std::find_if(formats.begin(), formats.end(), [&](const auto& f) { return f.name == name; });
    std::string text = format->begin(report_);
    for (const BenchResult& result : report_.results) text += format->row(report_, result);
    return text + format->end(report_);
  }

  BenchReport report_ = report_with_awkward_names();
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1)
    lines.push_back(text.substr(begin, text.find('\n', begin) - begin));
  return lines;
}

// Cells between commas; those in marks may hold commas, and marks written twice.
std::vector<std::string> cells_of(const std::string& line, char mark) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == mark && quoted && line[i + 1] == mark) {
      cells.back() += line[++i];
    } else if (line[i] == mark) {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += line[i];
    }
  }
  return cells;
}

// The first result as CSV and SQL have it, which differ in how they write what is not known.
std::vector<std::string> prompt_cells(const std::string& unknown) {
  return {"1.2",
          "Intel \"Xeon\", fast",
          "avx512",
          "a|b/it's \"4\", q.gguf",
          "q4_0",
          "2097152",
          "1500000",
          "2",
          "f16",
          "pp512",
          "512",
          "0",
          "0",
          "1",
          "101.25",
          "1.75",
          "101.25",
          "[100.0,102.5]",
          "int8",
          "202.5",
          "0.5",
          "0.25",
          "3000000",
          "0123456789abcdef",
          "",
          "true",
          "2026-08-30T12:00:00Z",
          "1.1",
          "b|c",
          "90.0",
          "0.125",
          "0.0625",
          "0.25",
          unknown};
}

TEST_F(BenchFormatTest, CsvHasALineOfNamesAndALineAResult) {
  const auto lines = lines_of(print("csv"));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(cells_of(lines[0], '"'), kColumns);
  EXPECT_EQ(cells_of(lines[1], '"'), prompt_cells(""));
  const auto second = cells_of(lines[2], '"');
  ASSERT_EQ(second.size(), kColumns.size());
  EXPECT_EQ(second[9], "tg64 @ d4096");
  EXPECT_EQ(second[18], "");
  EXPECT_EQ(second[20], "");
}

TEST_F(BenchFormatTest, SqlInsertsTheSameCells) {
  const auto lines = lines_of(print("sql"));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines[0].starts_with("CREATE TABLE IF NOT EXISTS bench (version TEXT,"));
  const std::string insert = "INSERT INTO bench VALUES (";
  for (const auto& line : {lines[1], lines[2]}) {
    ASSERT_TRUE(line.starts_with(insert) && line.ends_with(");")) << line;
  }
  const auto values = [&](const std::string& line) {
    return cells_of(line.substr(insert.size(), line.size() - insert.size() - 2), '\'');
  };
  EXPECT_EQ(values(lines[1]), prompt_cells("NULL"));
  EXPECT_EQ(values(lines[2])[18], "NULL");
}

TEST_F(BenchFormatTest, JsonHasTheMachineBesideTheResults) {
  const Json json = parse_json(print("json"), "report");
  EXPECT_EQ(json["version"], "1.2");
  EXPECT_EQ(json["machine"]["cpu"], "Intel \"Xeon\", fast");
  EXPECT_EQ(json["limits"][0]["threads"], 2);
  EXPECT_EQ(json["limits"][0]["read_bytes_per_second"], 32e9);
  ASSERT_EQ(json["results"].size(), 2u);
  const Json& first = json["results"][0];
  EXPECT_EQ(first.size(), kColumns.size() - 3);
  EXPECT_EQ(first["model"], "a|b/it's \"4\", q.gguf");
  EXPECT_EQ(first["tokens_per_second"], 101.25);
  EXPECT_EQ(first["samples"], Json({100.0, 102.5}));
  EXPECT_EQ(first["share_of_limit"], 0.5);
  EXPECT_EQ(first["change_low"], 0.0625);
  EXPECT_TRUE(first["limit_change"].is_null());
  EXPECT_TRUE(json["results"][1]["limited_by"].is_null());
  EXPECT_TRUE(json["results"][1]["change"].is_null());
}

TEST_F(BenchFormatTest, JsonlHasEveryColumnInEachLine) {
  const auto lines = lines_of(print("jsonl"));
  ASSERT_EQ(lines.size(), 2u);
  for (const std::string& line : lines) {
    const Json json = parse_json(line, "line");
    EXPECT_EQ(json.size(), kColumns.size());
    for (const std::string& name : kColumns) EXPECT_TRUE(json.contains(name)) << name;
  }
  EXPECT_EQ(parse_json(lines[1], "line")["n_depth"], 4096);
}

TEST_F(BenchFormatTest, MarkdownIsATableAndTheLimitsBelow) {
  EXPECT_EQ(
      print("md"),
      "| model | type | size | weights | threads | kv | test | tokens/s | median | of limit |\n"
      "|---|---|---:|---:|---:|---|---|---:|---:|---:|\n"
      "| it's \"4\", q.gguf | q4_0 | 2.00 MiB | 1.50 M | 2 | f16 | pp512 | 101.25 ± 1.75 | "
      "101.25 | 50 % int8 |\n"
      "| it's \"4\", q.gguf | q4_0 | 2.00 MiB | 1.50 M | 2 | f16 | tg64 @ d4096 | 101.25 ± "
      "1.75 | 101.25 |  |\n"
      "\n| model | test | since | tokens/s then | change | 95 % interval | of the limit |\n"
      "|---|---|---|---:|---:|---|---:|\n"
      "| it's \"4\", q.gguf | pp512 | 2026-08-30T12:00:00Z (1.1, b\\|c) | 90.00 | +12.5 % | +6.2 "
      "to "
      "+25.0 %, beyond the spread | unknown |\n"
      "| it's \"4\", q.gguf | tg64 @ d4096 | none | | | | |\n"
      "\nIntel \"Xeon\", fast, avx512\n"
      "limits, 2 threads: read 32.0 GB/s; products 900 G/s int8, 225 G/s fp32\n");
}

TEST_F(BenchFormatTest, MarkdownCellsKeepWhatWouldEndThem) {
  report_.results.resize(1);
  report_.results[0].model = "a|b\n.gguf";
  EXPECT_NE(print("md").find("| a\\|b .gguf |"), std::string::npos);
}

}  // namespace
}  // namespace nibble
