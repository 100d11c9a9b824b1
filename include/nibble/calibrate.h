// Calibration: what a model's matrices multiply while it reads some texts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "nibble/model.h"
#include "nibble/progress.h"

namespace nibble {

struct CalibrationText {
  std::string name;  // a path: errors name it, and its last part goes into the file
  std::string text;
};

struct CalibrateOptions {
  // Each text is cut into chunks of `context` tokens, a rest is left out; where the vocabulary
  // wants it, each begins with BOS. `chunks`: the first so many of all; 0: all.
  int64_t context = 512;
  int64_t chunks = 0;
  bool parse_special = false;   // control tokens written in the texts become their ids
  bool process_output = false;  // measure what the output matrix multiplies, too
  // Second moments of the inputs as well, for quantization with error feedback. Where they take
  // more than memory_limit bytes, the texts are read once for each part of the layers that fits
  // (at least one layer).
  bool moments = false;
  uint64_t memory_limit = uint64_t{4} << 30;
};

struct Calibration {
  int64_t chunks = 0;
  int64_t tokens = 0;
  int64_t passes = 1;
  size_t tensors = 0;
  uint64_t bytes = 0;  // of the file
  double seconds = 0;
  // Experts that saw less than a hundredth of an equal share of the tokens.
  struct StarvedExpert {
    std::string tensor;
    int64_t expert;
    double tokens;
  };
  std::vector<StarvedExpert> starved;
};

// Writes an importance matrix, as GGUF or, where the name ends in .dat, in llama.cpp's legacy
// layout: the sums that llama-imatrix makes. Errors: kUsage for texts shorter than a chunk, a .dat
// with moments, or options that make no sense; kInvalidFile when an activation is not finite,
// naming tensor and column; those of writing.
Calibration calibrate(const Model& model, const std::vector<CalibrationText>& texts,
                      const std::filesystem::path& output, const CalibrateOptions& options,
                      const RunOptions& run);

}  // namespace nibble
