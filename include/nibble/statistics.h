// Statistics of calibration: adding files of them up, and what they say.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nibble {

struct StatisticsInput {
  std::filesystem::path path;  // GGUF or .dat
  double weight = 1;  // above 0: what it says counts as if it had met so many times the text
};

struct MergedStatistics {
  size_t tensors = 0;
  bool has_moments = false;
  uint64_t bytes = 0;  // of the file
  // Of those without second moments, where others have some: there are none in the file then.
  std::vector<std::filesystem::path> without_moments;
};

// Writes the weighted sum of the files: of sums, counts and, where all have them, second moments;
// `output` is GGUF or, with .dat, the legacy layout, without moments. A .dat counts calls, each of
// `chunk_size` tokens. Errors: kUsage for weights that are none; kInvalidFile when a tensor has
// other columns or experts in one of the files, or one has nothing of its layer, naming tensor and
// files; those of reading and writing.
MergedStatistics merge_statistics(const std::vector<StatisticsInput>& inputs,
                                  const std::filesystem::path& output, int64_t chunk_size = 512);

// What a file says about one tensor. All is of the importance, the mean squares of what each column
// multiplies; experts that met nothing have no part in it.
struct TensorStatistics {
  std::string name;
  int64_t layer = -1;  // -1: outside of layers
  uint64_t columns = 0;
  uint64_t experts = 1;
  double rows = 0;  // tokens that it met, of all experts; in a .dat calls
  double sum = 0;
  double least = 0, most = 0, mean = 0, deviation = 0;  // over columns (of all experts)
  double top_share = 0;          // of the sum, what the largest hundredth of the columns has
  double entropy = 0;            // of the columns' shares of the sum, in bits
  double effective_columns = 0;  // 2^entropy: as many equal ones would have that entropy
  double outliers = 0;           // share of columns more than one standard deviation from the mean
  // With the tensor of the same name in the nearest layer before that has it with as many columns.
  std::optional<double> cosine_similarity;
  bool has_moments = false;
  // Experts that met less than a hundredth of an equal share, and of these nothing at all.
  std::vector<int64_t> starved_experts;
  uint64_t unmet_experts = 0;
  double least_share = 1;  // of the expert that met least, of an equal share
};

struct LayerStatistics {
  int64_t layer;
  double sum;                               // of its tensors
  std::optional<double> cosine_similarity;  // of all its tensors with those of the layer before
};

struct StatisticsView {
  std::string format;  // "GGUF", "legacy .dat"
  uint64_t bytes = 0;
  std::vector<std::string> datasets;
  uint64_t chunks = 0;                    // 0: not said
  uint64_t chunk_size = 0;                // tokens; 0: not said
  bool counts_calls = false;              // a .dat's rows are calls
  std::vector<TensorStatistics> tensors;  // layer by layer
  std::vector<LayerStatistics> layers;
};

// Whether the file is one of statistics: a GGUF that says it is, or named .dat.
bool is_statistics_file(const std::filesystem::path& path);

// Errors: those of reading it.
StatisticsView view_statistics(const std::filesystem::path& path);

}  // namespace nibble
