// Several quantized files of a model beside their reference: measured alike, and told as a report.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nibble/divergence.h"
#include "nibble/layers.h"
#include "nibble/machine.h"
#include "nibble/model.h"

namespace nibble {

struct Comparison;

struct CompareOptions {
  RunOptions run;
  std::filesystem::path reference;  // a model
  std::string text;                 // that all are measured on
  std::string text_name;            // what the report calls it
  int64_t context = 0;              // tokens of a window; 0: 512, or as many as were trained
  int64_t windows = 100;            // the first so many only; 0: all
  int64_t layer_windows = 4;        // of the same, for the comparison of layers; 0: none of it
  // Beginnings that each model continues, greedily. None: the first words of three places of the
  // text.
  std::vector<std::string> prompts;
  int64_t continued_tokens = 48;  // of each; 0: no continuations
  int repetitions = 3;            // of measuring speed; 0: none
  // As nibble/tasks.h names them: "KIND=FILE" or "prompts". All of their items are asked.
  std::vector<std::string> tasks;
  // An HTML or JSON report of an earlier call: what it says of a file that has not changed,
  // measured in the same way, is taken over. It may be missing.
  std::filesystem::path earlier;
  // Told what there is each time that a model was measured: the models that are still to be
  // measured are not among it. Written as a report, it is what a call after this one's failure goes
  // on from.
  std::function<void(const Comparison& so_far)> on_measured;
};

// A model's continuation of a prompt beside the reference's.
struct Continuation {
  std::string same;       // text of the tokens before the first that differs
  std::string differing;  // of that token; empty when there is none
  std::string rest;       // of those after it
  int64_t same_tokens = 0;
  bool operator==(const Continuation&) const = default;
};

struct ComparedSpeed {
  double prompt = 0;      // tokens a second, median
  double generation = 0;  // likewise
  uint64_t peak_memory_bytes = 0;
  int64_t prompt_tokens = 0;  // that were read, and made
  int64_t generated_tokens = 0;
};

// A score of a task, the first of nibble/tasks.h.
struct ComparedTask {
  std::string name;
  std::string score;
  double mean = 0;   // 0 to 1
  double error = 0;  // its standard error
  int64_t items = 0;
  double agreement = 1;  // share of items with the reference's choice or verdict
};

struct ComparedModel {
  std::string name;  // of the file, without its extension
  std::filesystem::path path;
  std::string fingerprint;  // changes with the files
  std::string type;         // that most of its weights have
  uint64_t bytes = 0;       // of its files
  uint64_t weights = 0;
  double bits_per_weight = 0;  // of the tensors
  Estimate perplexity;
  std::optional<Divergence> divergence;     // all but the reference have one
  LayerView layers;                         // nothing in the reference's, or when not asked for
  std::vector<Continuation> continuations;  // one for each prompt
  std::vector<ComparedTask> tasks;          // one for each of CompareOptions
  std::optional<ComparedSpeed> speed;
};

struct Comparison {
  std::string version;  // of this library
  Machine machine;
  int threads = 0;
  std::string text_name;
  std::string text_sha256;
  std::string protocol;  // of two comparisons with the same one, figures can stand in one table
  int64_t context = 0;
  int64_t windows = 0;
  int64_t scored_tokens = 0;
  std::vector<std::string> prompts;
  ComparedModel reference;
  std::vector<ComparedModel> models;  // the smallest file first
};

// Memory: that of the largest model and the reference together. Errors: kUsage for models that
// cannot be compared or a text that is too short; kInvalidFile for an earlier report that is none;
// whatever loading a model throws.
Comparison compare(std::span<const std::filesystem::path> models, const CompareOptions& options);

// Models that no other beats in size and divergence at once, by index, the smallest first.
std::vector<size_t> pareto_front(const Comparison& comparison);

// The report as text: md, csv, json (docs/formats/comparison.md), and html, one page that needs
// nothing else.
struct CompareFormat {
  std::string_view name;  // also the extension of its files
  std::string (*write)(const Comparison& comparison);
};
std::span<const CompareFormat> compare_formats();

// Writes it in the format of the path's extension; a file of that name is replaced. The first finds
// out before anything is measured. Errors: kUsage for another extension; kIo, kNoSpace.
void check_report_path(const std::filesystem::path& path);
void write_report(const Comparison& comparison, const std::filesystem::path& path);

}  // namespace nibble
