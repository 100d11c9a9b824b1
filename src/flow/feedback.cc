#include "flow/feedback.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/input_file.h"

namespace nibble {
namespace {

// What each of several experts gets added: the moments of kPooledMoments rows of the mean over all.
// Nothing where there is one matrix, or nothing was met.
std::vector<double> prior_of(const MomentsFile& file, const MomentsFile::Input& input) {
  const double rows = std::accumulate(input.counts.begin(), input.counts.end(), 0.0);
  if (input.experts < 2 || rows <= 0) return {};
  std::vector<double> sum(moments_count(input.columns));
  for (uint64_t expert = 0; expert < input.experts; ++expert) {
    if (input.counts[expert] == 0) continue;
    const auto moments = file.read(input, expert);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<double>(moments[i]);
  }
  for (double& value : sum) value *= kPooledMoments / rows;
  return sum;
}

std::vector<float> with_prior(std::vector<float> moments, const std::vector<double>& prior) {
  for (size_t i = 0; i < prior.size(); ++i)
    moments[i] = static_cast<float>(static_cast<double>(moments[i]) + prior[i]);
  return moments;
}

}  // namespace

bool has_second_moments(const std::filesystem::path& statistics) {
  constexpr std::string_view kMagic = "GGUF";
  const InputFile file(statistics);
  std::string magic(std::min<uint64_t>(kMagic.size(), file.size()), '\0');
  file.read(0, std::as_writable_bytes(std::span(magic)));
  return magic == kMagic && !MomentsFile(statistics).empty();
}

TensorFeedback::TensorFeedback(const std::filesystem::path& statistics,
                               const std::vector<TensorInfo>& tensors,
                               const TensorImportance& importance, bool by_activation)
    : file_(std::make_shared<const MomentsFile>(statistics)),
      by_activation_(by_activation),
      group_of_(tensors.size()) {
  for (size_t i = 0; i < tensors.size(); ++i) {
    const MomentsFile::Input* input = file_->input_of(tensors[i].name);
    if (input == nullptr || importance.of(i).empty()) continue;
    const Shape& shape = tensors[i].shape;
    const uint64_t matrices = shape.dims[2] * shape.dims[3];
    if (input->columns != shape.columns() || input->experts != matrices) {
      fail(ErrorCode::kInvalidFile,
           "{}: tensor {} ({}): the second moments are of {} columns and {} matrices, expected {} "
           "and {}: they were measured with another model",
           statistics.string(), tensors[i].name, to_string(shape), input->columns, input->experts,
           shape.columns(), matrices);
    }
    const auto known = std::ranges::find(inputs_, input->tensor, &MomentsFile::Input::tensor);
    group_of_[i] = static_cast<size_t>(known - inputs_.begin()) + 1;
    if (known == inputs_.end()) inputs_.push_back(*input);
  }
}

size_t TensorFeedback::tensor_count() const {
  return group_of_.size() - static_cast<size_t>(std::ranges::count(group_of_, size_t{0}));
}

void TensorFeedback::scale(size_t group, std::vector<float> scales) {
  if (group == 0) return;
  scales_.resize(inputs_.size());
  scales_[group - 1] = std::move(scales);
}

std::vector<std::optional<FeedbackFactor>> TensorFeedback::factors(size_t group, Effort effort,
                                                                   ThreadPool& pool) const {
  std::vector<std::optional<FeedbackFactor>> factors;
  if (group == 0) return factors;
  const MomentsFile::Input& input = inputs_[group - 1];
  const std::vector<double> prior = prior_of(*file_, input);
  for (uint64_t expert = 0; expert < input.experts; ++expert) {
    factors.push_back(make_feedback_factor(
        with_prior(file_->read(input, expert), prior), static_cast<int64_t>(input.columns), pool,
        FeedbackOptions{effort == Effort::kBest, by_activation_}));
    const bool is_scaled = factors.back() && group <= scales_.size() && !scales_[group - 1].empty();
    if (is_scaled) factors.back() = scaled_factor(*factors.back(), scales_[group - 1]);
  }
  return factors;
}

}  // namespace nibble
