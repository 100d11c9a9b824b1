// Measuring how fast models run: prompts, generation, both after a context of some depth, and each
// figure beside what this machine could do at most. The tests and their names are those of
// llama.cpp's llama-bench.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nibble/machine.h"
#include "nibble/model.h"

namespace nibble {

// Every combination of the lists is measured.
struct BenchOptions {
  LoadOptions load;                       // load.run.threads has no effect
  std::vector<int64_t> prompts = {512};   // tokens read at once; 0: no such test
  std::vector<int64_t> generated = {64};  // tokens made one after the other; 0: no such test
  std::vector<std::pair<int64_t, int64_t>> prompts_then_generated;  // of one test, each above 0
  std::vector<int64_t> depths = {0};            // tokens in the KV cache before the test
  std::vector<int64_t> sequences = {1};         // that are read or continued together, 1 to 512
  std::vector<int> threads;                     // empty, or a 0: all CPUs this process may use
  std::vector<std::string> kv_types = {"f16"};  // of the KV cache, as in generate.h
  int repetitions = 3;                          // timed ones, after one that is not
  bool limits = true;  // measure the machine first, a second or two for each
                       // number of threads

  // An SQLite 3 file that each result is appended to (docs/formats/bench_store.md); it is made when
  // it is missing. Empty: results are not stored.
  std::filesystem::path store;
  std::string label;  // stored with them: a name for what is measured, such as a commit
  // Which earlier results of the store each is compared with: kLatest, or those with this label or
  // of this version. Empty: none.
  std::string compare;
  static constexpr std::string_view kLatest = "latest";
};

// What this machine can do at most, with all of the threads together.
struct BenchLimits {
  int threads = 0;
  double read_bytes_per_second = 0;     // from memory
  double int8_products_per_second = 0;  // with their addition to sums of 32 bits
  double fp32_products_per_second = 0;  // likewise
};

// What changed since an earlier result of the same test with the same model file, the same
// LoadOptions::type and ::repack, threads and type of KV cache, on the same machine (its CPU's
// name, instruction set and number of CPUs).
struct BenchChange {
  std::string time;  // of the earlier one, "2026-08-30T12:00:00Z"
  std::string version;
  std::string label;
  double mean = 0;    // its tokens per second
  double change = 0;  // of the geometric means of the samples; 0.03: 3 % faster now
  // Its 95 % confidence interval by Welch's t-test of the samples' logarithms: 0 outside of it is
  // a difference that their spread does not explain. Samples of one run follow each other within
  // seconds; a machine that changes more slowly than that is not in it. NaN where either result has
  // one sample only.
  double low = 0;
  double high = 0;
  double limit_change = 0;  // of what the machine could do at most; NaN where not measured

  bool is_beyond_spread() const { return low > 0 || high < 0; }
};

struct BenchResult {
  std::filesystem::path model;
  std::string file_hash;  // of its files: XXH64 of their sizes and of 64 pieces of each
  std::string load_type;  // LoadOptions::type
  bool repacked = false;  // Model::is_repacked()
  std::string type;       // that most of its weights have
  uint64_t weight_bytes = 0;
  uint64_t parameters = 0;
  double load_seconds = 0;
  uint64_t peak_memory_bytes = 0;  // since the model's loading began
  int threads = 0;
  std::string kv_type;
  int64_t prompt = 0;  // one of these may be 0
  int64_t generated = 0;
  int64_t depth = 0;
  int64_t sequences = 1;
  std::vector<double> samples;  // tokens per second of each repetition
  double mean = 0;              // of the samples, like the next two
  double deviation = 0;         // standard deviation (n - 1)
  double median = 0;
  // The limit that this test meets: "read" for generation (of few sequences), "int8", "fp32" or
  // "int8+fp32" for prompts, by the formats of the model's matrices; "int8+read" for a prompt and
  // what is generated after it. Empty without limits.
  std::string limited_by;
  double limit_tokens_per_second = 0;
  // Median over the repetitions. Limits of products are measured again before and after each: other
  // machines on the same processor may take a part of it.
  double share_of_limit = 0;
  std::optional<BenchChange> change;  // none without BenchOptions::compare, or without earlier ones

  std::string test() const;  // "pp512", "pp512+tg64", "tg64 x8 @ d4096"
};

struct BenchReport {
  std::string version;  // of this library
  Machine machine;
  std::string compared_with;        // BenchOptions::compare
  std::vector<BenchLimits> limits;  // one for each number of threads, or empty
  std::vector<BenchResult> results;
};

// Each of several sequences has the test's tokens and a cache of its own; tokens per second are
// those of all together. Tokens are random with a fixed seed. Each repetition reads or makes all of
// the test's tokens; generation does not sample. `on_result` sees the report so far, after each
// result. Errors: kUsage for options that make no sense or a depth that leaves no room in the
// context that a model was trained for; kInvalidFile for a store that is another program's database
// or damaged, kUnsupported for one of a newer version, kNotFound when nothing in it has the label
// or version to compare with, kIo when it cannot be written; all found before anything is measured.
// Whatever loading a model throws. Several processes may append to one store.
BenchReport bench(std::span<const std::filesystem::path> models, const BenchOptions& options,
                  const std::function<void(const BenchReport&)>& on_result = {});

// The report as text: begin (once there is a first result), each row, end.
//   md     a table, and the limits below it
//   csv    a line of names, a line a result
//   json   {"version", "machine", "limits", "results": [...]}
//   jsonl  a JSON object a line
//   sql    CREATE TABLE bench, an INSERT a result
// The columns of the last four are the same; limits that are not known are empty or null.
struct BenchFormat {
  std::string_view name;
  std::string (*begin)(const BenchReport& report);
  std::string (*row)(const BenchReport& report, const BenchResult& result);
  std::string (*end)(const BenchReport& report);
};
std::span<const BenchFormat> bench_formats();

}  // namespace nibble
