#include "file/moments.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "codec/formats.h"
#include "file/byte_reader.h"
#include "file/imatrix.h"

namespace nibble {
namespace {

constexpr const char* kTensorsKey = "nibble.moments.tensors";
constexpr const char* kInputsKey = "nibble.moments.inputs";

// n of n (n + 1) / 2; 0 when it is no such number.
uint64_t columns_of(uint64_t count) {
  const auto columns = static_cast<uint64_t>(
      std::lround((std::sqrt(8.0 * static_cast<double>(count) + 1.0) - 1.0) / 2.0));
  return moments_count(columns) == count ? columns : 0;
}

}  // namespace

std::string moments_name(std::string_view input) { return std::string(input) += ".in_moments"; }

void add_moments_keys(const InputNames& inputs, Metadata& metadata) {
  std::vector<std::string> tensors, names;
  for (const auto& [tensor, input] : inputs) {
    tensors.push_back(tensor);
    names.push_back(input);
  }
  metadata.set(kTensorsKey, MetadataArray{std::move(tensors)});
  metadata.set(kInputsKey, MetadataArray{std::move(names)});
}

MomentsFile::MomentsFile(const std::filesystem::path& path) : file_(path) {
  const auto* tensors = file_.metadata().find_array<std::string>(kTensorsKey);
  if (tensors == nullptr) return;
  const auto* inputs = file_.metadata().find_array<std::string>(kInputsKey);
  if (inputs == nullptr || inputs->size() != tensors->size()) {
    fail(ErrorCode::kInvalidFile, "{}: {} has {} names, expected {}, as {} has", path.string(),
         kInputsKey, inputs == nullptr ? 0 : inputs->size(), tensors->size(), kTensorsKey);
  }
  for (size_t i = 0; i < tensors->size(); ++i) {
    names_.emplace((*tensors)[i], (*inputs)[i]);
    input_of_.emplace((*tensors)[i], find_input((*inputs)[i]));
  }
}

MomentsFile::Input MomentsFile::find_input(const std::string& name) const {
  const std::string& origin = file_.metadata().origin();
  const std::string tensor_name = moments_name(name);
  const auto found = std::ranges::find(file_.tensors(), tensor_name, &TensorInfo::name);
  if (found == file_.tensors().end()) {
    fail(ErrorCode::kInvalidFile, "{}: tensor {} is named in {} and missing", origin,
         printable(tensor_name), kInputsKey);
  }
  const Input input = {static_cast<size_t>(found - file_.tensors().begin()),
                       columns_of(found->shape.columns()), found->shape.rows(),
                       counts_of(name, found->shape.rows())};
  if (found->type != DType::kF32 || input.columns == 0) {
    fail(ErrorCode::kInvalidFile,
         "{}: tensor {}: found {} {}, expected f32 and n (n + 1) / 2 numbers of n columns", origin,
         printable(tensor_name), dtype_name(found->type), to_string(found->shape));
  }
  return input;
}

std::vector<float> MomentsFile::counts_of(const std::string& input, uint64_t experts) const {
  const auto found =
      std::ranges::find(file_.tensors(), imatrix_counts_name(input), &TensorInfo::name);
  if (found == file_.tensors().end() || found->type != DType::kF32 ||
      found->shape.count() != experts)
    return {};
  std::vector<float> counts(experts);
  file_.read_rows(static_cast<size_t>(found - file_.tensors().begin()), 0, found->shape.rows(),
                  std::as_writable_bytes(std::span(counts)));
  const bool are_counts =
      std::ranges::all_of(counts, [](float count) { return std::isfinite(count) && count >= 0; });
  return are_counts ? counts : std::vector<float>();
}

const MomentsFile::Input* MomentsFile::input_of(std::string_view tensor) const {
  const auto found = input_of_.find(tensor);
  return found == input_of_.end() ? nullptr : &found->second;
}

std::vector<float> MomentsFile::read(const Input& input, uint64_t expert) const {
  std::vector<float> triangle(moments_count(input.columns));
  file_.read_rows(input.tensor, expert, 1, std::as_writable_bytes(std::span(triangle)));
  const float* at = triangle.data();
  for (uint64_t row = 0; row < input.columns; at += ++row) {
    for (uint64_t column = 0; column <= row; ++column) {
      if (std::isfinite(at[column]) && (column < row || at[column] >= 0)) continue;
      fail(ErrorCode::kInvalidFile,
           "{}: tensor {}: the moment of columns {} and {} is {}, expected a finite number: the "
           "file is damaged",
           file_.metadata().origin(), file_.tensors()[input.tensor].name, row, column, at[column]);
    }
  }
  return triangle;
}

}  // namespace nibble
