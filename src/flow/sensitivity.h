// How much each tensor's types are expected to lose: the divergence that one type causes when this
// tensor alone has it, measured on a text, and how much larger or smaller the error of each other
// type is.
//
// For small errors the divergence is a quadratic form of them, and errors of different tensors are
// as good as independent: losses then add up, and a tensor's grows with its squared error. The
// error is that of the method: by second moments H of the input where there are some, the mean over
// rows of (w - q) H (w - q)^T beside w H w^T; else by importance; else of all columns alike.
#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "flow/encoding_rules.h"
#include "flow/model.h"
#include "nibble/dtype.h"
#include "nibble/progress.h"

namespace nibble {

struct TensorSensitivity {
  std::string tensor;
  DType probe{};  // a type that was measured
  double kl = 0;  // mean KL divergence, in nats a token, that it causes
  struct TypeError {
    DType type;
    double error;  // squared, relative
  };
  std::vector<TypeError> errors;  // of the types that the tensor can have, and the probe's

  double error(DType type) const;  // of one of them
  double loss(DType type) const;   // nats a token
};

struct SensitivityOptions {
  std::vector<DType> types;      // that are tried
  std::vector<uint32_t> tokens;  // of the text that divergences are measured on
  std::string text_name;
  int64_t context = 512;
  int64_t windows = 0;  // 0: all
};

// What is known so far, in a file that grows by a line for each tensor: work that was interrupted
// goes on with it. An empty path: it is in memory only. `about` is everything that the figures
// depend on, in one line. Errors: kInvalidFile for a damaged file, naming its line, and for one
// that is about something else.
class SensitivityFile {
 public:
  SensitivityFile(const std::filesystem::path& path, const std::string& about);

  const TensorSensitivity* find(const std::string& tensor) const;
  void add(TensorSensitivity sensitivity);  // Error kIo

 private:
  bool read(const std::string& about);
  void write_line(const std::string& line);

  std::filesystem::path path_;
  std::vector<TensorSensitivity> known_;
  std::ofstream out_;
};

// Of tensors[i] of the model's source, for each i in `tensors`, in their order. `model` is loaded
// in a type that loses little; it is as before afterwards. Errors: those of reading and of the
// text.
std::vector<TensorSensitivity> measure_sensitivity(const Model& model,
                                                   const std::vector<size_t>& tensors,
                                                   const EncodingRules& rules,
                                                   const SensitivityOptions& options,
                                                   SensitivityFile& file, const RunOptions& run);

}  // namespace nibble
