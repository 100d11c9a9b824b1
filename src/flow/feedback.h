// TensorFeedback: which tensors of a model are rounded with error feedback, and what is needed for
// it: one input's factors at a time, as they are as large as all weights that share it or larger.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/threads.h"
#include "file/moments.h"
#include "flow/importance.h"
#include "quant/feedback_factor.h"
#include "tensor/source.h"

namespace nibble {

// Of several experts each counts as if it had met so many more rows of the mean over all.
inline constexpr double kPooledMoments = 64;

// Whether a GGUF importance matrix has any. Errors: those of opening it.
bool has_second_moments(const std::filesystem::path& statistics);

class TensorFeedback {
 public:
  TensorFeedback() = default;  // none
  // `by_activation`: FeedbackOptions. Of the tensors that have importance and that the file has
  // moments for. Errors: those of MomentsFile; kInvalidFile for moments of another number of
  // columns or experts, naming tensor, found and expected.
  TensorFeedback(const std::filesystem::path& statistics, const std::vector<TensorInfo>& tensors,
                 const TensorImportance& importance, bool by_activation = false);

  // Tensors of one group share an input; group 0 is of those without feedback.
  size_t groups() const { return inputs_.size() + 1; }
  size_t group_of(size_t tensor) const { return tensor < group_of_.size() ? group_of_[tensor] : 0; }
  size_t tensor_count() const;  // with feedback

  // The inputs of a group other than 0 are divided by these from now on, a factor for each column.
  void scale(size_t group, std::vector<float> scales);

  // Of each matrix (expert) of the group's tensors, an expert that met few rows being near the mean
  // over all (kPooledMoments); where nothing was met, or moments are of no use, there is none. With
  // Effort::kBest they have what a rounding search takes.
  std::vector<std::optional<FeedbackFactor>> factors(size_t group, Effort effort,
                                                     ThreadPool& pool) const;

 private:
  std::shared_ptr<const MomentsFile> file_;
  bool by_activation_ = false;
  std::vector<size_t> group_of_;
  std::vector<MomentsFile::Input> inputs_;  // of groups 1, 2, ...
  std::vector<std::vector<float>> scales_;  // likewise; empty: none
};

}  // namespace nibble
