// nibble::merge_statistics: files of statistics -> their weighted sum.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "file/tensor_files.h"
#include "flow/statistics_file.h"
#include "flow/statistics_sources.h"
#include "nibble/statistics.h"
#include "nibble/text_file.h"

namespace nibble {
namespace {

void check_inputs(const std::vector<StatisticsInput>& inputs, const std::filesystem::path& output,
                  int64_t chunk_size) {
  if (inputs.empty()) fail(ErrorCode::kUsage, "no statistics were named");
  if (chunk_size < 1) fail(ErrorCode::kUsage, "chunks of {} tokens make no sense", chunk_size);
  for (const StatisticsInput& input : inputs) {
    if (!std::isfinite(input.weight) || input.weight <= 0) {
      fail(ErrorCode::kUsage, "{}: a weight of {} makes no sense; it is above 0",
           input.path.string(), input.weight);
    }
    std::error_code ignored;  // reading says why
    if (std::filesystem::equivalent(input.path, output, ignored)) {
      fail(ErrorCode::kUsage, "{}: is read and would be written; name another file",
           output.string());
    }
  }
}

// Inputs that have moments in all the files, as the first names them.
std::vector<StatisticsFile::MomentsShape> common_moments(
    const std::vector<StatisticsSource>& sources, const CombinedImportance& importance,
    InputNames& names) {
  std::vector<StatisticsFile::MomentsShape> shapes;
  for (const auto& [tensor, input] : sources.front().input_names()) {
    const auto entry = importance.matrix().entries.find(input);
    const bool is_common = std::ranges::all_of(
        sources, [&, &tensor = tensor, &input = input](const StatisticsSource& source) {
          return source.has_moments(tensor) && source.has_moments(input);
        });
    if (!is_common || entry == importance.matrix().entries.end()) continue;
    names.emplace(tensor, input);
    if (std::ranges::find(shapes, input, &StatisticsFile::MomentsShape::input) != shapes.end())
      continue;
    const uint64_t experts = entry->second.counts.size();
    shapes.push_back({input, entry->second.sums.size() / experts, experts});
  }
  return shapes;
}

void write_moments(const std::vector<StatisticsSource>& sources,
                   const CombinedImportance& importance, const StatisticsFile::MomentsShape& shape,
                   StatisticsFile& file) {
  std::vector<double> sum;
  for (uint64_t expert = 0; expert < shape.experts; ++expert) {
    sum.assign(moments_count(shape.columns), 0);
    for (const StatisticsSource& source : sources) source.add_moments(shape.input, expert, sum);
    const double scale = importance.scale(shape.input, expert);
    for (double& value : sum) value *= scale;
    file.write_moments(shape.input, expert, sum);
  }
}

}  // namespace

MergedStatistics merge_statistics(const std::vector<StatisticsInput>& inputs,
                                  const std::filesystem::path& output, int64_t chunk_size) {
  check_inputs(inputs, output, chunk_size);
  std::vector<StatisticsSource> sources;
  std::vector<WeightedImportance> parts;
  MergedStatistics result;
  for (const StatisticsInput& input : inputs)
    sources.emplace_back(input.path, input.weight, chunk_size);
  for (size_t i = 0; i < sources.size(); ++i) {
    parts.push_back(sources[i].importance());
    if (sources[i].input_names().empty()) result.without_moments.push_back(inputs[i].path);
  }
  const CombinedImportance importance(parts);
  result.tensors = importance.matrix().entries.size();
  if (output.extension() == ".dat") {
    write_text_file(output, imatrix_dat_bytes(importance.matrix()));
    result.without_moments.clear();
  } else {
    InputNames names;
    const auto moments = common_moments(sources, importance, names);
    StatisticsFile file(output, importance.matrix(), moments, names);
    for (const auto& shape : moments) write_moments(sources, importance, shape, file);
    file.finish();
    result.has_moments = !moments.empty();
    if (result.without_moments.size() == inputs.size()) result.without_moments.clear();
  }
  result.bytes = std::filesystem::file_size(output);
  return result;
}

}  // namespace nibble
