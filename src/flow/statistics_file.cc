#include "flow/statistics_file.h"

#include <algorithm>
#include <system_error>

#include "base/error.h"
#include "codec/formats.h"

namespace nibble {
namespace {

Shape matrix_shape(uint64_t columns, uint64_t rows) { return {{columns, rows, 1, 1}, 2}; }

void require_part(const std::filesystem::path& path, uint64_t bytes) {
  std::error_code ignored;  // another size then
  if (std::filesystem::file_size(part_path(path), ignored) == bytes) return;
  fail(ErrorCode::kUsage,
       "{}: is not there, or not of {} bytes: the moments of the passes that are done are lost; "
       "leave --resume out to begin anew",
       part_path(path).string(), bytes);
}

}  // namespace

StatisticsFile::StatisticsFile(const std::filesystem::path& path, const ImportanceMatrix& matrix,
                               const std::vector<MomentsShape>& moments, const InputNames& names,
                               Unfinished unfinished)
    : path_(path) {
  Metadata metadata = imatrix_metadata(matrix);
  for (const auto& [name, entry] : matrix.entries) {
    const uint64_t experts = entry.counts.size();
    tensors_.push_back(
        {imatrix_sums_name(name), DType::kF32, matrix_shape(entry.sums.size() / experts, experts)});
    tensors_.push_back({imatrix_counts_name(name), DType::kF32, matrix_shape(1, experts)});
  }
  if (!moments.empty()) add_moments_keys(names, metadata);
  for (const MomentsShape& shape : moments) {
    tensors_.push_back({moments_name(shape.input), DType::kF32,
                        matrix_shape(moments_count(shape.columns), shape.experts)});
  }
  if (unfinished == Unfinished::kResume) require_part(path, gguf_file_bytes(metadata, tensors_));
  std::vector<GgufPart> parts = {{path, metadata, tensors_}};
  sink_ = std::make_unique<GgufSink>(std::move(parts), unfinished);
  write_matrix(matrix);
}

void StatisticsFile::write_matrix(const ImportanceMatrix& matrix) {
  for (const auto& [name, entry] : matrix.entries) {
    write(imatrix_sums_name(name), 0, entry.sums);
    write(imatrix_counts_name(name), 0, entry.counts);
  }
}

void StatisticsFile::write_moments(std::string_view input, uint64_t expert,
                                   std::span<const double> triangle) {
  const std::string name = moments_name(input);
  const uint64_t count = tensors_[index_of(name)].shape.columns();
  std::vector<float> values(count);
  std::ranges::transform(triangle, values.begin(), [](double x) { return static_cast<float>(x); });
  write(name, expert * count * sizeof(float), values);
}

void StatisticsFile::accept_moments(std::string_view input) {
  const size_t index = index_of(moments_name(input));
  sink_->accept(index, 0, tensors_[index].bytes());
}

void StatisticsFile::keep() {
  sink_->keep();
  sink_.reset();
  sync_file(part_path(path_));
}

void StatisticsFile::write(std::string_view name, uint64_t offset, std::span<const float> values) {
  sink_->write(index_of(name), offset, std::as_bytes(values));
}

size_t StatisticsFile::index_of(std::string_view name) const {
  const auto found = std::ranges::find(tensors_, name, &TensorInfo::name);
  return static_cast<size_t>(found - tensors_.begin());
}

}  // namespace nibble
