// Files of statistics that are added up.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "file/imatrix.h"
#include "file/moments.h"

namespace nibble {

// Importance with the weight that it gets beside others.
struct WeightedImportance {
  std::string name;  // errors say it
  double weight;
  const ImportanceMatrix* matrix;
};

// Sums and counts times the weights. Counts are whole numbers again, and sums such that the means
// are what they would be: who reads them as llama-imatrix does takes the same means from them.
class CombinedImportance {
 public:
  // Error kInvalidFile, naming tensor and both files, when a tensor has another number of columns
  // or experts, or one file has nothing of a layer of the other; kUsage for sums beyond what floats
  // can say.
  explicit CombinedImportance(const std::vector<WeightedImportance>& parts);

  const ImportanceMatrix& matrix() const { return matrix_; }
  // What the weighted sum of moments is to be multiplied by to go with the sums.
  double scale(std::string_view tensor, uint64_t expert) const;

 private:
  void combine(const std::string& tensor, const std::vector<WeightedImportance>& parts);

  ImportanceMatrix matrix_;
  std::map<std::string, std::vector<double>, std::less<>> scales_;  // of each tensor's experts
};

// A file that was opened to be added.
class StatisticsSource {
 public:
  // `chunk_size`: rows of a call of a .dat. Errors: those of reading.
  StatisticsSource(const std::filesystem::path& path, double weight, int64_t chunk_size);

  WeightedImportance importance() const { return {name_, weight_, &matrix_}; }
  bool has_moments(std::string_view tensor) const;
  // Of the tensors that have some.
  InputNames input_names() const { return moments_ ? moments_->input_names() : InputNames(); }
  // += weight * the expert's moments of the tensor's input. Error kInvalidFile when they are of
  // another size, or none.
  void add_moments(std::string_view tensor, uint64_t expert, std::vector<double>& triangle) const;

 private:
  std::string name_;
  double weight_;
  ImportanceMatrix matrix_;
  std::optional<MomentsFile> moments_;
};

}  // namespace nibble
