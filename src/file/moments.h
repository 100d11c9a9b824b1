// Second moments of what matrices multiply: for each pair of columns of an input the sum over its
// rows of their product. They stand in the GGUF layout of an importance matrix (imatrix.h), which
// stock readers then read as before:
//
//   tensor NAME.in_moments         f32 [n (n + 1) / 2, experts]: of n columns the triangle up to
//                                  the diagonal, row by row
//   nibble.moments.tensors         strings: tensors whose inputs' moments are here
//   nibble.moments.inputs          strings: the NAME of each, as tensors that share an input share
//                                  its moments
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metadata.h"
#include "file/gguf.h"

namespace nibble {

inline constexpr uint64_t moments_count(uint64_t columns) { return columns * (columns + 1) / 2; }

std::string moments_name(std::string_view input);
// Which input each tensor has, by name, as the file says it.
using InputNames = std::map<std::string, std::string, std::less<>>;
void add_moments_keys(const InputNames& inputs, Metadata& metadata);

class MomentsFile {
 public:
  // Errors: those of GgufFile; kInvalidFile for inputs that are named and not there, or of a type
  // or a size that no moments have. A file without moments is no error.
  explicit MomentsFile(const std::filesystem::path& path);

  bool empty() const { return input_of_.empty(); }
  const InputNames& input_names() const { return names_; }

  struct Input {
    size_t tensor;  // of the file
    uint64_t columns;
    uint64_t experts;
    std::vector<float> counts = {};  // rows that each expert met; empty where it is not said
  };
  // Of the matrix, or nullptr.
  const Input* input_of(std::string_view tensor) const;

  // An expert's triangle. Error kInvalidFile, naming tensor and columns, for a number that is none.
  std::vector<float> read(const Input& input, uint64_t expert) const;

 private:
  Input find_input(const std::string& name) const;
  std::vector<float> counts_of(const std::string& input, uint64_t experts) const;

  GgufFile file_;
  InputNames names_;
  std::map<std::string, Input, std::less<>> input_of_;
};

}  // namespace nibble
